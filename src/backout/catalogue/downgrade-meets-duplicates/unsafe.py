"""let customers share an e-mail address

Families do.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("customers_email_key", "customers")


def downgrade() -> None:
    op.create_unique_constraint("customers_email_key", "customers", ["email"])
