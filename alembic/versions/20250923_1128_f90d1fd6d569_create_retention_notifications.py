"""create retention_notifications

Why:
    Content of free plans is deleted after 180 days. Users are told beforehand, once for each channel,
    and it must be provable that they were.
Rollback plan:
    Drops the table, with every notice since; nothing from before. Notices that are already sent would
    be sent again after the next upgrade: stop the retention worker first, and export the table.

Revision ID: f90d1fd6d569
Revises: a6219d533876
Create Date: 2025-09-23 11:28:40.614907+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "f90d1fd6d569"
down_revision = "a6219d533876"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "retention_notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("content_job_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), server_default="email", nullable=False),
        sa.Column("send_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_notifications")),
        sa.UniqueConstraint(
            "content_job_id",
            "user_id",
            "channel",
            name=op.f("uq_retention_notifications_content_job_id_user_id_channel"),
        ),
        sa.ForeignKeyConstraint(
            ["content_job_id"],
            ["content_jobs.id"],
            name=op.f("fk_retention_notifications_content_job_id_content_jobs"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_retention_notifications_user_id_users"), ondelete="CASCADE"
        ),
        sa.CheckConstraint("channel IN ('email', 'in_app')", name=op.f("ck_retention_notifications_channel_known")),
    )
    op.create_index(op.f("ix_retention_notifications_user_id"), "retention_notifications", ["user_id"])
    op.create_index(
        op.f("ix_retention_notifications_unsent"),
        "retention_notifications",
        ["send_after"],
        postgresql_where=sa.text("sent_at IS NULL"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("retention_notifications")
