"""require subscriptions.price_cents of new rows

Why:
    On the way to NOT NULL without a scan under ACCESS EXCLUSIVE: a CHECK that is NOT VALID holds for
    what is written from now on and looks at nothing that is there.
Rollback plan:
    Drops both constraints. Nothing is lost.

Revision ID: f1299983334e
Revises: 411cf211891c
Create Date: 2025-06-17 09:31:02.572641+00:00
"""

from alembic import op

revision = "f1299983334e"
down_revision = "411cf211891c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_check_constraint(
        op.f("ck_subscriptions_price_cents_present"),
        "subscriptions",
        "price_cents IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.create_check_constraint(
        op.f("ck_subscriptions_price_cents_range"),
        "subscriptions",
        "price_cents BETWEEN 0 AND 99999999",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_constraint(op.f("ck_subscriptions_price_cents_range"), "subscriptions", type_="check")
    op.drop_constraint(op.f("ck_subscriptions_price_cents_present"), "subscriptions", type_="check")
