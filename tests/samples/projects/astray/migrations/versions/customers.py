"""Create customers"""

from alembic import op

revision = "customers"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL)")
    op.execute("CREATE TABLE invoices (id serial PRIMARY KEY, customer_id int REFERENCES customers, total float)")


def downgrade() -> None:
    op.execute("DROP TABLE invoices, customers")
