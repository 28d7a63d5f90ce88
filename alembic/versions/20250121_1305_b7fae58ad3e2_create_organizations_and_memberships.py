"""create organizations and memberships

Why:
    Teams write together: content and bills belong to an organization, and a user may be in several.
Rollback plan:
    Drops both tables and the type membership_role, with every organization made since.

Revision ID: b7fae58ad3e2
Revises: 0d6b7a56b094
Create Date: 2025-01-21 13:05:47.118204+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b7fae58ad3e2"
down_revision = "0d6b7a56b094"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("slug", sa.String(63), nullable=False, comment="first label of the organization's host name"),
        sa.Column("billing_email", sa.String(320)),
        sa.Column("settings", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column(
            "deleted_at",
            sa.DateTime(timezone=True),
            comment="set when the customer leaves; rows go 30 days later, invoices stay",
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organizations")),
        sa.UniqueConstraint("slug", name=op.f("uq_organizations_slug")),
        sa.CheckConstraint("slug = lower(slug)", name=op.f("ck_organizations_slug_lower_case")),
    )
    op.execute("CREATE TYPE membership_role AS ENUM ('owner', 'admin', 'editor', 'viewer')")
    op.create_table(
        "memberships",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            postgresql.ENUM(name="membership_role", create_type=False),
            server_default="viewer",
            nullable=False,
        ),
        sa.Column("invited_by_id", sa.BigInteger()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name=op.f("pk_memberships")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_memberships_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_memberships_invited_by_id_users"), ondelete="SET NULL"
        ),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"])
    op.create_index(op.f("ix_memberships_invited_by_id"), "memberships", ["invited_by_id"])


def downgrade() -> None:
    op.drop_table("memberships")
    op.execute("DROP TYPE membership_role")
    op.drop_table("organizations")
