"""share the numbers of payments

Refunds take theirs from the same sequence.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER SEQUENCE payments_id_seq OWNED BY NONE")
    op.execute("COMMENT ON SEQUENCE payments_id_seq IS 'payments and refunds'")


def downgrade() -> None:
    op.execute("COMMENT ON SEQUENCE payments_id_seq IS NULL")
