"""let no quantity be zero from now on

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
    op.execute("ALTER TABLE order_items ADD CONSTRAINT order_items_quantity_not_zero CHECK (quantity <> 0) NOT VALID")


def downgrade() -> None:
    op.drop_constraint("order_items_quantity_not_zero", "order_items")
