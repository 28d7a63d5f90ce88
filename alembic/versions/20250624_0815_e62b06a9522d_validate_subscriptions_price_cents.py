"""validate subscriptions.price_cents

Why:
    Checks the rows from before f1299983334e, while writers go on. Fails if the backfill has left a
    NULL, and then nothing has changed: run the backfill again.
Rollback plan:
    Does nothing. Constraints left validated are in nobody's way.

Revision ID: e62b06a9522d
Revises: f1299983334e
Create Date: 2025-06-24 08:15:48.290377+00:00
"""

from alembic import op

revision = "e62b06a9522d"
down_revision = "f1299983334e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE subscriptions VALIDATE CONSTRAINT ck_subscriptions_price_cents_present")
    op.execute("ALTER TABLE subscriptions VALIDATE CONSTRAINT ck_subscriptions_price_cents_range")


def downgrade() -> None:
    pass
