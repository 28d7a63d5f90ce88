"""link billing events to invoices

Why:
    Events that name an invoice we do not have were found by support, by chance. From now on the
    webhook looks the invoice up before it stores its id.

    NOT VALID: the rows that are there are checked by the next revision, which does not block writers.
    This one locks both tables against writes, for a moment.
Rollback plan:
    Drops the constraint, under ACCESS EXCLUSIVE on both tables. Nothing is lost.

Revision ID: 7cb2071f820c
Revises: 33ab76c18ce9
Create Date: 2025-05-13 14:33:17.340068+00:00
"""

from alembic import op

revision = "7cb2071f820c"
down_revision = "33ab76c18ce9"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_foreign_key(
        op.f("fk_billing_events_invoice_id_invoices"),
        "billing_events",
        "invoices",
        ["invoice_id"],
        ["id"],
        ondelete="SET NULL",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_constraint(op.f("fk_billing_events_invoice_id_invoices"), "billing_events", type_="foreignkey")
