"""drop subscriptions.price

Why:
    Contract: no release that is still running reads or writes price. Deploy first, then migrate.
Rollback plan:
    Adds price again, computes it from price_cents and puts the trigger back. Nothing is lost, because
    price_cents holds the same values to the cent. Rewrites subscriptions under ACCESS EXCLUSIVE, which
    takes well under a second for this table.

Revision ID: bcc48110e6e0
Revises: fd9df236c4d0
Create Date: 2025-07-15 12:04:26.731459+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "bcc48110e6e0"
down_revision = "fd9df236c4d0"
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
    op.execute("DROP TRIGGER subscriptions_sync_price ON subscriptions")
    op.execute("DROP FUNCTION subscriptions_sync_price()")
    op.drop_column("subscriptions", "price")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("subscriptions", sa.Column("price", sa.Numeric(8, 2), comment="price a month"))
    op.execute("UPDATE subscriptions SET price = price_cents / 100.0")
    op.alter_column("subscriptions", "price", existing_type=sa.Numeric(8, 2), nullable=False)
    op.create_check_constraint(op.f("ck_subscriptions_price_range"), "subscriptions", "price BETWEEN 0 AND 999999.99")
    op.execute(SYNC_FUNCTION)
    op.execute(SYNC_TRIGGER)
