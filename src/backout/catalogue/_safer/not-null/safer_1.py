"""require a method of new payments

NOT VALID reads no row: what is there is checked by the next revision.

Revision ID: safer_1
Revises: shop
"""

from alembic import op

revision = "safer_1"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payments ADD CONSTRAINT payments_method_present CHECK (method IS NOT NULL) NOT VALID")


def downgrade() -> None:
    op.drop_constraint("payments_method_present", "payments")
