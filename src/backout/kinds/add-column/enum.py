"""of a new enum type

Revision ID: enum
Revises: shop
"""

from alembic import op

revision = "enum"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE salutation AS ENUM ('formal', 'informal')")
    op.execute("ALTER TABLE customers ADD COLUMN salutation salutation")


def downgrade() -> None:
    op.drop_column("customers", "salutation")
    op.execute("DROP TYPE salutation")
