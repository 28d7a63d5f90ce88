"""values overwritten, the old ones kept in a table of their own

Revision ID: kept
Revises: shop
"""

from alembic import op

revision = "kept"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE kept_methods AS SELECT id, method FROM payments WHERE method <> lower(method)")
    op.execute("UPDATE payments SET method = lower(method) WHERE method <> lower(method)")


def downgrade() -> None:
    op.execute(
        "UPDATE payments SET method = kept.method FROM kept_methods AS kept "
        "WHERE kept.id = payments.id AND payments.method = lower(kept.method)"
    )
    op.drop_table("kept_methods")
