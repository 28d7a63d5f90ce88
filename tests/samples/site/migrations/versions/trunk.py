"""create customers & <orders>

Create Date: 2024-02-01 09:00:00
"""

from alembic import op

revision = "trunk"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE customers (id int PRIMARY KEY, name varchar(40), note text)")
    op.execute("CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, total int)")


def downgrade() -> None:
    op.execute("DROP TABLE orders")
    op.execute("DROP TABLE customers")
