"""never measured"""

from alembic import op

revision = "unmeasured"
down_revision = "stale"

# backout: accept dropped-table-comes-back-empty: it may go


def upgrade() -> None:
    op.execute("DROP TABLE orders")


def downgrade() -> None:
    op.execute("CREATE TABLE orders (id int PRIMARY KEY)")
