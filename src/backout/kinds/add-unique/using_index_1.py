"""in steps: the index, concurrently

Revision ID: using_index_1
Revises: shop
"""

from alembic import op

revision = "using_index_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("payments_reference_key", "payments", ["reference"], unique=True, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("payments_reference_key", "payments", postgresql_concurrently=True)
