"""delete payments with their orders

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("payments_order_id_fkey", "payments")
    op.execute(
        """
        ALTER TABLE payments ADD CONSTRAINT payments_order_id_fkey
        FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE NOT VALID
        """
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE payments VALIDATE CONSTRAINT payments_order_id_fkey")


def downgrade() -> None:
    op.drop_constraint("payments_order_id_fkey", "payments")
    op.execute(
        "ALTER TABLE payments ADD CONSTRAINT payments_order_id_fkey FOREIGN KEY (order_id) REFERENCES orders NOT VALID"
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE payments VALIDATE CONSTRAINT payments_order_id_fkey")
