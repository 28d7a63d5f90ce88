"""create audit_log

Why:
    Enterprise customers ask who changed what. Written once, never changed; keeps its rows when the
    actor or the organization is deleted.
Rollback plan:
    Drops the table, with every entry since. Export it first: some customers' contracts want it kept.

Revision ID: 4b9b7cf145f7
Revises: bcc48110e6e0
Create Date: 2025-07-22 13:48:39.015722+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4b9b7cf145f7"
down_revision = "bcc48110e6e0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger()),
        sa.Column("actor_id", sa.BigInteger(), comment="NULL: the system itself, or a deleted user"),
        sa.Column("action", sa.Text(), nullable=False, comment="object and past tense, e.g. membership.role_changed"),
        sa.Column("subject", sa.Text(), nullable=False, comment="table and key, e.g. content_jobs/17"),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("ip_address", postgresql.INET()),
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_audit_log_organization_id_organizations"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["users.id"], name=op.f("fk_audit_log_actor_id_users"), ondelete="SET NULL"
        ),
    )
    op.create_index(op.f("ix_audit_log_actor_id"), "audit_log", ["actor_id"])
    op.create_index(op.f("ix_audit_log_organization_id_occurred_at"), "audit_log", ["organization_id", "occurred_at"])
    op.create_index(op.f("ix_audit_log_occurred_at"), "audit_log", ["occurred_at"], postgresql_using="brin")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("audit_log")
