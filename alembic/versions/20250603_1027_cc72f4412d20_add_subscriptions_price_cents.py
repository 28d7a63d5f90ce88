"""add subscriptions.price_cents

Why:
    Prices become whole cents, like the amounts of invoices: adding up numeric and float prices has
    made invoices wrong by a cent. First of six: expand (this one), backfill, require, validate,
    enforce, contract.

    A trigger keeps price and price_cents equal, so that the previous and the next release can run
    side by side until price is gone.
Rollback plan:
    Drops the column and the trigger. Nothing is lost: price holds the same values.

Revision ID: cc72f4412d20
Revises: f4945acc7795
Create Date: 2025-06-03 10:27:09.459206+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "cc72f4412d20"
down_revision = "f4945acc7795"
branch_labels = None
depends_on = None

# price rules as long as both columns exist: releases that know only one of them see the other follow.
SYNC_FUNCTION = """
    CREATE FUNCTION subscriptions_sync_price() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            NEW.price := coalesce(NEW.price, NEW.price_cents / 100.0);
        ELSIF NEW.price IS NOT DISTINCT FROM OLD.price AND NEW.price_cents IS DISTINCT FROM OLD.price_cents THEN
            NEW.price := coalesce(NEW.price_cents / 100.0, NEW.price);
        END IF;
        NEW.price_cents := NEW.price * 100;
        RETURN NEW;
    END
    $$
"""
SYNC_TRIGGER = """
    CREATE TRIGGER subscriptions_sync_price BEFORE INSERT OR UPDATE ON subscriptions
        FOR EACH ROW EXECUTE FUNCTION subscriptions_sync_price()
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "subscriptions",
        sa.Column("price_cents", sa.Integer(), comment="price a month, in hundredths of the currency"),
    )
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("DROP TRIGGER subscriptions_sync_price ON subscriptions")
    op.execute("DROP FUNCTION subscriptions_sync_price()")
    op.drop_column("subscriptions", "price_cents")
