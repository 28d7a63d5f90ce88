#!/usr/bin/env bash
# A unique index was built concurrently over rows that are not unique. The build failed, and left half of it.
set -euo pipefail

cat >alembic/versions/20260121_1004_b3f6a90c2e17_make_organizations_billing_email_unique.py <<'PYTHON'
"""make organizations.billing_email unique

Why:
    Invoices of two customers went to one address.
Rollback plan:
    Drops the index. Nothing is lost.

Revision ID: b3f6a90c2e17
Revises: 7f544264830f
Create Date: 2026-01-21 10:04:40.118242+00:00
"""

from alembic import op

revision = "b3f6a90c2e17"
down_revision = "7f544264830f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("uq_organizations_billing_email"),
            "organizations",
            ["billing_email"],
            unique=True,
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(op.f("uq_organizations_billing_email"), "organizations", postgresql_concurrently=True)
PYTHON
backout rehearse b3f6a90c2e17
git add --all
git commit --quiet --message "Make organizations.billing_email unique"
psql -qv ON_ERROR_STOP=1 <<'SQL'
UPDATE organizations SET billing_email = 'accounts@example.com' WHERE id IN (
    SELECT id FROM organizations ORDER BY id LIMIT 2);
SQL
if alembic upgrade head; then exit 1; fi
psql -XAtc "SELECT indisvalid FROM pg_index WHERE indexrelid = 'uq_organizations_billing_email'::regclass" | grep -qx f
