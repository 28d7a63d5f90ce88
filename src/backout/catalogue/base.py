"""a small shop

The schema that the migrations of the catalogue start from. It has what migrations are careless about:
unique, check, foreign and self-referring keys, an enum, identity and serial columns, a sequence of its own,
json, char, numeric, time zones, an array, partitions, a table without a key, a view, a trigger, comments and
privileges.

Revision ID: shop
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "shop"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text()),
        sa.Column("nickname", sa.Text(), comment="what the newsletter calls them"),
        sa.Column("phone", sa.String(40)),
        sa.Column("country", sa.CHAR(2), server_default="DE", nullable=False),
        sa.Column(
            "status",
            postgresql.ENUM("active", "paused", "closed", name="customer_status"),
            server_default="active",
            nullable=False,
        ),
        sa.Column("credit", sa.Numeric(12, 4), server_default="0", nullable=False),
        sa.Column("settings", postgresql.JSON()),
        sa.Column("birthday", sa.Date()),
        sa.Column("joined_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("referred_by", sa.BigInteger(), sa.ForeignKey("customers.id", name="customers_referred_by_fkey")),
        sa.UniqueConstraint("email", name="customers_email_key"),
        comment="who has ever ordered",
    )
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("sku", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("price", sa.Numeric(10, 2), nullable=False),
        sa.Column("weight", postgresql.DOUBLE_PRECISION()),
        sa.Column("stock", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tags", postgresql.ARRAY(sa.Text())),
        sa.Column("listed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("price >= 0", name="products_price_check"),
    )
    op.execute("CREATE SEQUENCE order_numbers START 1000")
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("number", sa.BigInteger(), server_default=sa.text("nextval('order_numbers')"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.Column("total", sa.Numeric(12, 2)),
        sa.Column("note", sa.Text()),
        sa.Column("placed_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="orders_customer_id_fkey"),
        sa.CheckConstraint("status IN ('new', 'paid', 'sent', 'returned')", name="orders_status_check"),
    )
    op.create_index("orders_customer_id_idx", "orders", ["customer_id"])
    op.create_table(
        "order_items",
        sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("line", sa.Integer(), primary_key=True),
        sa.Column("product_id", sa.BigInteger(), sa.ForeignKey("products.id"), nullable=False),
        sa.Column("quantity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("unit_price", sa.Numeric(10, 2), nullable=False),
        sa.CheckConstraint("quantity > 0", name="order_items_quantity_check"),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=True),
        sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id"), nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column(
            "state",
            postgresql.ENUM("open", "settled", "refused", name="payment_state"),
            server_default="open",
            nullable=False,
        ),
        sa.Column("reference", sa.Text()),
        sa.Column("details", postgresql.JSONB()),
        sa.Column("paid_at", sa.DateTime()),
    )
    # Imported from a spreadsheet: no key, and nothing says that the product exists.
    op.create_table(
        "reviews",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.SmallInteger()),
        sa.Column("author", sa.Text()),
        sa.Column("body", sa.Text()),
        sa.Column("words", sa.Integer()),
    )
    op.execute(
        """
        CREATE TABLE events (
            id bigint NOT NULL, happened_on date NOT NULL, kind text, PRIMARY KEY (id, happened_on)
        ) PARTITION BY RANGE (happened_on)
        """
    )
    op.execute("CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')")
    op.execute("CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
    op.execute("CREATE VIEW active_customers AS SELECT id, email, full_name FROM customers WHERE status = 'active'")
    op.execute(
        """
        CREATE FUNCTION count_words() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.words := cardinality(regexp_split_to_array(NEW.body, '\\s+'));
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        "CREATE TRIGGER reviews_words BEFORE INSERT OR UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION count_words()"
    )
    op.execute("GRANT SELECT ON products, reviews TO PUBLIC")


def downgrade() -> None:
    op.execute("DROP VIEW active_customers")
    for table in ("events", "reviews", "payments", "order_items", "orders", "products", "customers"):
        op.drop_table(table)
    op.execute("DROP FUNCTION count_words()")
    op.execute("DROP SEQUENCE order_numbers")
    op.execute("DROP TYPE customer_status, payment_state")
