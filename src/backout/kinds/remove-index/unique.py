"""unique

Revision ID: unique
Revises: unique_before
"""

from alembic import op

revision = "unique"
down_revision = "unique_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("payments_reference_key", "payments")


def downgrade() -> None:
    op.create_index("payments_reference_key", "payments", ["reference"], unique=True)
