"""index the queue of content jobs

Why:
    Workers ask for the first queued job twice a second. Nearly all jobs are finished, so the index
    covers the queued ones only and stays small.

    Built CONCURRENTLY, outside a transaction: writers are not blocked, but the build waits for every
    transaction that is older than itself. No lock_timeout, because waiting harms nobody.
Rollback plan:
    Drops the index, concurrently as well. Nothing is lost but speed.

Revision ID: 7f544264830f
Revises: 76f0ddcb0970
Create Date: 2026-01-13 09:14:38.325870+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "7f544264830f"
down_revision = "76f0ddcb0970"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # An interrupted build leaves an invalid index, which IF NOT EXISTS would take for the real one.
        op.drop_index(op.f("ix_content_jobs_queue"), "content_jobs", postgresql_concurrently=True, if_exists=True)
        op.create_index(
            op.f("ix_content_jobs_queue"),
            "content_jobs",
            ["priority", "created_at"],
            postgresql_where=sa.text("status = 'queued'"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(op.f("ix_content_jobs_queue"), "content_jobs", postgresql_concurrently=True, if_exists=True)
