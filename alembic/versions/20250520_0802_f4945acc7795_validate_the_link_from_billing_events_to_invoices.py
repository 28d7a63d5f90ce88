"""validate the link from billing events to invoices

Why:
    Second half of 7cb2071f820c: checks the rows from before. Writers go on meanwhile.

    Fails on an event whose invoice does not exist. To find them beforehand:
    SELECT id, invoice_id FROM billing_events b
    WHERE invoice_id IS NOT NULL AND NOT EXISTS (SELECT FROM invoices i WHERE i.id = b.invoice_id)
Rollback plan:
    Does nothing. A constraint left validated is in nobody's way, and making it NOT VALID again would
    lock both tables.

Revision ID: f4945acc7795
Revises: 7cb2071f820c
Create Date: 2025-05-20 08:02:51.815633+00:00
"""

from alembic import op

revision = "f4945acc7795"
down_revision = "7cb2071f820c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE billing_events VALIDATE CONSTRAINT fk_billing_events_invoice_id_invoices")


def downgrade() -> None:
    pass
