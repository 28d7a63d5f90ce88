"""values overwritten in batches, each committed

Revision ID: in_batches
Revises: shop
"""

from alembic import op

revision = "in_batches"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    with op.get_context().autocommit_block():
        while connection.exec_driver_sql(
            "UPDATE payments SET method = lower(method) WHERE id IN "
            "(SELECT id FROM payments WHERE method <> lower(method) ORDER BY id LIMIT 1000)"
        ).rowcount:
            pass


def downgrade() -> None:
    pass
