"""a unique index

Revision ID: unique_before
Revises: shop
"""

from alembic import op

revision = "unique_before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("payments_reference_key", "payments", ["reference"], unique=True)


def downgrade() -> None:
    op.drop_index("payments_reference_key", "payments")
