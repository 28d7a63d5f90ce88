"""create subscriptions and usage counters

Why:
    Paid plans start on 1 March: what an organization has booked, and how much of it is used up.
Rollback plan:
    Drops both tables and the type subscription_plan. Once somebody has paid, restore a backup instead.

Revision ID: b58e552c5956
Revises: 2749027cad4f
Create Date: 2025-02-18 15:41:03.266871+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "b58e552c5956"
down_revision = "2749027cad4f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE subscription_plan AS ENUM ('free', 'starter', 'team', 'enterprise')")
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "plan",
            postgresql.ENUM(name="subscription_plan", create_type=False),
            server_default="free",
            nullable=False,
        ),
        sa.Column("status", sa.Text(), server_default="trialing", nullable=False),
        sa.Column("price", sa.Numeric(8, 2), nullable=False, comment="price a month"),
        sa.Column("currency", sa.String(3), server_default="EUR", nullable=False),
        sa.Column("seats", sa.Integer(), server_default="1", nullable=False),
        sa.Column("external_id", sa.Text(), comment="the payment provider's name for it; NULL: never paid"),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True)),
        sa.Column("current_period_end", sa.DateTime(timezone=True)),
        sa.Column("canceled_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("external_id", name=op.f("uq_subscriptions_external_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_subscriptions_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.CheckConstraint(
            "status IN ('trialing', 'active', 'past_due', 'canceled')", name=op.f("ck_subscriptions_status_known")
        ),
        sa.CheckConstraint("seats > 0", name=op.f("ck_subscriptions_seats_positive")),
        sa.CheckConstraint("price BETWEEN 0 AND 999999.99", name=op.f("ck_subscriptions_price_range")),
    )
    op.create_index(op.f("ix_subscriptions_organization_id"), "subscriptions", ["organization_id"])
    op.create_index(op.f("ix_subscriptions_current_period_end"), "subscriptions", ["current_period_end"])
    op.create_table(
        "usage_counters",
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False, comment="first day of the month, UTC"),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("used", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("quota", sa.BigInteger(), comment="NULL: unlimited"),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "period_start", "metric", name=op.f("pk_usage_counters")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_usage_counters_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("used >= 0", name=op.f("ck_usage_counters_used_not_negative")),
        sa.CheckConstraint("metric IN ('jobs', 'tokens', 'images')", name=op.f("ck_usage_counters_metric_known")),
    )


def downgrade() -> None:
    op.drop_table("usage_counters")
    op.drop_table("subscriptions")
    op.execute("DROP TYPE subscription_plan")
