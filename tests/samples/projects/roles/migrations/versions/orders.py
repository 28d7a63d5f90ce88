"""The same role again, a role of its own, and an extension that is absent"""

from alembic import op

revision = "orders"
down_revision = "users"


def upgrade() -> None:
    op.execute("CREATE ROLE backout_clerk")
    op.execute("CREATE EXTENSION IF NOT EXISTS backout_absent")
    op.execute("CREATE TABLE orders (id int PRIMARY KEY)")
    op.execute("GRANT SELECT ON orders TO Backout_Reporting, backout_clerk")


def downgrade() -> None:
    op.execute("DROP TABLE orders")
    op.execute("DROP ROLE backout_clerk")
