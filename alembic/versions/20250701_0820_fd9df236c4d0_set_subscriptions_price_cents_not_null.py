"""set subscriptions.price_cents not null

Why:
    The validated CHECK proves that there is no NULL, so SET NOT NULL takes its lock for a moment and
    scans nothing. Then the CHECK has done its work.
Rollback plan:
    Puts the CHECK back in the place of NOT NULL; it is validated after the commit, so that the scan
    blocks nobody. Nothing is lost.

Revision ID: fd9df236c4d0
Revises: e62b06a9522d
Create Date: 2025-07-01 08:20:13.647985+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "fd9df236c4d0"
down_revision = "e62b06a9522d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.alter_column("subscriptions", "price_cents", existing_type=sa.Integer(), nullable=False)
    op.drop_constraint(op.f("ck_subscriptions_price_cents_present"), "subscriptions", type_="check")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_check_constraint(
        op.f("ck_subscriptions_price_cents_present"),
        "subscriptions",
        "price_cents IS NOT NULL",
        postgresql_not_valid=True,
    )
    op.alter_column("subscriptions", "price_cents", existing_type=sa.Integer(), nullable=True)
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE subscriptions VALIDATE CONSTRAINT ck_subscriptions_price_cents_present")
