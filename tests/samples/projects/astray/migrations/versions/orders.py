"""Create orders, and go astray wherever code can run"""

from alembic import op
from app import ways

revision = "orders"
down_revision = "customers"

ways.go("import")


def upgrade() -> None:
    op.execute("CREATE TABLE orders (id int PRIMARY KEY, note text)")
    ways.go("upgrade")


def downgrade() -> None:
    op.execute("DROP TABLE orders")
    ways.go("downgrade")
