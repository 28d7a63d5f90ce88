"""index content jobs by organization and status

Why:
    The dashboard counts an organization's jobs by status, and content_jobs has outgrown the full scan.

    Built CONCURRENTLY, outside a transaction: writers are not blocked, but the build waits for every
    transaction that is older than itself. No lock_timeout, because waiting harms nobody.
Rollback plan:
    Drops the index, concurrently as well. Nothing is lost but speed.

Revision ID: 80fff2a64566
Revises: af1079fb46e9
Create Date: 2025-04-08 11:46:20.083514+00:00
"""

from alembic import op

revision = "80fff2a64566"
down_revision = "af1079fb46e9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        # An interrupted build leaves an invalid index, which IF NOT EXISTS would take for the real one.
        op.drop_index(
            op.f("ix_content_jobs_organization_id_status"), "content_jobs", postgresql_concurrently=True, if_exists=True
        )
        op.create_index(
            op.f("ix_content_jobs_organization_id_status"),
            "content_jobs",
            ["organization_id", "status"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(
            op.f("ix_content_jobs_organization_id_status"), "content_jobs", postgresql_concurrently=True, if_exists=True
        )
