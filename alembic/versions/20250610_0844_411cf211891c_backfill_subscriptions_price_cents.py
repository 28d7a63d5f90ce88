"""backfill subscriptions.price_cents

Why:
    Fills price_cents where the trigger has not come by yet.

    In batches of a thousand that commit on their own: row locks are short, replicas keep up, and an
    interrupted run is simply started again.
Rollback plan:
    Does nothing: the values are right, and the revision before has no use for NULLs.

Revision ID: 411cf211891c
Revises: cc72f4412d20
Create Date: 2025-06-10 08:44:35.128790+00:00
"""

from alembic import op

revision = "411cf211891c"
down_revision = "cc72f4412d20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            """
            DO $$
            DECLARE
                done bigint;
                upto bigint;
            BEGIN
                LOOP
                    SELECT max(id) INTO upto FROM (
                        SELECT id FROM subscriptions WHERE done IS NULL OR id > done ORDER BY id LIMIT 1000
                    ) AS batch;
                    EXIT WHEN upto IS NULL;
                    UPDATE subscriptions SET price_cents = price * 100
                    WHERE (done IS NULL OR id > done) AND id <= upto AND price_cents IS NULL;
                    COMMIT;
                    done := upto;
                END LOOP;
            END
            $$
            """
        )


def downgrade() -> None:
    pass
