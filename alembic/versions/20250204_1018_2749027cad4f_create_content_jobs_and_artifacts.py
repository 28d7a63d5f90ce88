"""create content jobs and artifacts

Why:
    The product itself: somebody asks for a piece of content (a job), a crew of agents writes it, and
    outline, drafts and final text are kept (artifacts).
Rollback plan:
    Drops both tables and the type content_job_status, with everything written since.

Revision ID: 2749027cad4f
Revises: b7fae58ad3e2
Create Date: 2025-02-04 10:18:29.730955+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2749027cad4f"
down_revision = "b7fae58ad3e2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE content_job_status AS ENUM ('queued', 'running', 'succeeded', 'failed')")
    op.create_table(
        "content_jobs",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by_id", sa.BigInteger()),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column(
            "parameters",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
            comment="tone, audience, length: what the form of the content type asks for",
        ),
        sa.Column(
            "status",
            postgresql.ENUM(name="content_job_status", create_type=False),
            server_default="queued",
            nullable=False,
        ),
        sa.Column(
            "priority",
            sa.SmallInteger(),
            server_default="100",
            nullable=False,
            comment="the lowest number goes first",
        ),
        sa.Column("error", sa.Text()),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_jobs")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_content_jobs_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_content_jobs_created_by_id_users"), ondelete="SET NULL"
        ),
        sa.CheckConstraint(
            "content_type IN ('blog_post', 'newsletter', 'press_release', 'product_page', 'social_post')",
            name=op.f("ck_content_jobs_content_type_known"),
        ),
        sa.CheckConstraint("finished_at >= started_at", name=op.f("ck_content_jobs_finished_after_start")),
    )
    op.create_index(op.f("ix_content_jobs_created_by_id"), "content_jobs", ["created_by_id"])
    op.create_table(
        "content_artifacts",
        sa.Column("id", sa.Uuid(), server_default=sa.func.gen_random_uuid(), nullable=False),
        sa.Column("content_job_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("body", sa.Text()),
        sa.Column("storage_key", sa.Text()),
        sa.Column("word_count", sa.Integer()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_artifacts")),
        sa.UniqueConstraint(
            "content_job_id", "kind", "version", name=op.f("uq_content_artifacts_content_job_id_kind_version")
        ),
        sa.ForeignKeyConstraint(
            ["content_job_id"],
            ["content_jobs.id"],
            name=op.f("fk_content_artifacts_content_job_id_content_jobs"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "kind IN ('outline', 'draft', 'final', 'image')", name=op.f("ck_content_artifacts_kind_known")
        ),
        sa.CheckConstraint(
            "(body IS NULL) <> (storage_key IS NULL)", name=op.f("ck_content_artifacts_body_or_storage_key")
        ),
    )


def downgrade() -> None:
    op.drop_table("content_artifacts")
    op.drop_table("content_jobs")
    op.execute("DROP TYPE content_job_status")
