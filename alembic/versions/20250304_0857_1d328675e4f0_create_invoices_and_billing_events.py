"""create invoices and billing events

Why:
    The first invoices go out in April. The payment provider reports by webhook; each call is stored
    before it is looked at, so that none is lost when looking at it fails.

    billing_events.invoice_id has no foreign key yet: calls may come before the invoice they speak of.
Rollback plan:
    Drops both tables. Once an invoice is out, restore a backup instead: the law wants it kept.

Revision ID: 1d328675e4f0
Revises: b58e552c5956
Create Date: 2025-03-04 08:57:36.551092+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "1d328675e4f0"
down_revision = "b58e552c5956"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "invoices",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("organization_id", sa.BigInteger(), nullable=False),
        sa.Column("subscription_id", sa.BigInteger()),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("amount_due_cents", sa.Integer(), nullable=False),
        sa.Column("amount_paid_cents", sa.Integer(), server_default="0", nullable=False),
        sa.Column("currency", sa.String(3), server_default="EUR", nullable=False),
        sa.Column("issued_on", sa.Date(), comment="NULL while it is a draft"),
        sa.Column("due_on", sa.Date()),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoices")),
        sa.UniqueConstraint("number", name=op.f("uq_invoices_number")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_invoices_organization_id_organizations"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscriptions.id"],
            name=op.f("fk_invoices_subscription_id_subscriptions"),
            ondelete="SET NULL",
        ),
        sa.CheckConstraint("status IN ('draft', 'open', 'paid', 'void')", name=op.f("ck_invoices_status_known")),
        sa.CheckConstraint("amount_due_cents >= 0", name=op.f("ck_invoices_amount_due_not_negative")),
        sa.CheckConstraint(
            "amount_paid_cents BETWEEN 0 AND amount_due_cents", name=op.f("ck_invoices_amount_paid_range")
        ),
    )
    op.create_index(op.f("ix_invoices_organization_id"), "invoices", ["organization_id"])
    op.create_index(op.f("ix_invoices_subscription_id"), "invoices", ["subscription_id"])
    op.create_table(
        "billing_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column(
            "external_event_id",
            sa.Text(),
            nullable=False,
            comment="the provider's id: a call that is repeated is stored once",
        ),
        sa.Column("organization_id", sa.BigInteger(), comment="NULL: a customer we do not know"),
        sa.Column("invoice_id", sa.BigInteger()),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column(
            "payload",
            postgresql.JSON(),
            nullable=False,
            comment="as it came: json, not jsonb, which would sort the keys and drop repeated ones",
        ),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("processed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_events")),
        sa.UniqueConstraint("external_event_id", name=op.f("uq_billing_events_external_event_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_billing_events_organization_id_organizations"),
            ondelete="SET NULL",
        ),
    )
    op.create_index(op.f("ix_billing_events_organization_id"), "billing_events", ["organization_id"])
    op.create_index(op.f("ix_billing_events_invoice_id"), "billing_events", ["invoice_id"])
    op.create_index(
        op.f("ix_billing_events_unprocessed"),
        "billing_events",
        ["received_at"],
        postgresql_where=sa.text("processed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("billing_events")
    op.drop_table("invoices")
