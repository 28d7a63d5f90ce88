"""add content_job_status cancelled

Why:
    Users may stop a job that is queued or running. Until now that was 'failed' with an error text.

    ADD VALUE runs outside a transaction, so that the new label can be used at once.
Rollback plan:
    PostgreSQL cannot drop an enum label, so the type is built again without it, which rewrites
    content_jobs under ACCESS EXCLUSIVE. It refuses while a row is still 'cancelled': which status such a
    row shall have instead is for a human to say. To treat them as failed, as before:
    UPDATE content_jobs SET status = 'failed', error = 'cancelled by user' WHERE status = 'cancelled'

Revision ID: 33ab76c18ce9
Revises: 80fff2a64566
Create Date: 2025-04-29 09:10:44.697120+00:00
"""

from alembic import op

revision = "33ab76c18ce9"
down_revision = "80fff2a64566"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE content_job_status ADD VALUE IF NOT EXISTS 'cancelled'")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("LOCK TABLE content_jobs IN ACCESS EXCLUSIVE MODE")
    op.execute(
        """
        DO $$
        DECLARE
            cancelled bigint;
        BEGIN
            SELECT count(*) INTO cancelled FROM content_jobs WHERE status = 'cancelled';
            IF cancelled > 0 THEN
                RAISE EXCEPTION 'cannot remove cancelled from content_job_status: used by % row(s) of content_jobs',
                    cancelled
                    USING ERRCODE = 'dependent_objects_still_exist',
                          HINT = 'Give them another status first.';
            END IF;
        END
        $$
        """
    )
    op.execute("ALTER TYPE content_job_status RENAME TO content_job_status_old")
    op.execute("CREATE TYPE content_job_status AS ENUM ('queued', 'running', 'succeeded', 'failed')")
    op.execute(
        """
        ALTER TABLE content_jobs
            ALTER COLUMN status DROP DEFAULT,
            ALTER COLUMN status TYPE content_job_status USING CAST(CAST(status AS text) AS content_job_status),
            ALTER COLUMN status SET DEFAULT 'queued'
        """
    )
    op.execute("DROP TYPE content_job_status_old")
