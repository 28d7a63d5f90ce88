"""in steps: the constraint, from the index

Revision ID: using_index_2
Revises: using_index_1
"""

from alembic import op

revision = "using_index_2"
down_revision = "using_index_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payments ADD CONSTRAINT payments_reference_key UNIQUE USING INDEX payments_reference_key")


def downgrade() -> None:
    op.drop_constraint("payments_reference_key", "payments")
    with op.get_context().autocommit_block():
        op.create_index("payments_reference_key", "payments", ["reference"], unique=True, postgresql_concurrently=True)
