"""let no quantity be zero

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        DO $$
        BEGIN
            ALTER TABLE order_items ADD CONSTRAINT order_items_quantity_not_zero CHECK (quantity <> 0);
        EXCEPTION
            WHEN duplicate_object THEN NULL;
        END
        $$
        """
    )


def downgrade() -> None:
    op.drop_constraint("order_items_quantity_not_zero", "order_items")
