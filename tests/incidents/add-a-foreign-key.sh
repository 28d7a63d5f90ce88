#!/usr/bin/env bash
# A column was added without its foreign key; meanwhile it names rows that do not exist. Now the models have the key.
set -euo pipefail

cat >alembic/versions/20260120_0905_5e0c4d1f7a92_add_content_jobs_invoice_id.py <<'PYTHON'
"""add content_jobs.invoice_id

Why:
    Support wants to know which invoice a job is on.
Rollback plan:
    Drops the column, with what was entered since.

Revision ID: 5e0c4d1f7a92
Revises: 7f544264830f
Create Date: 2026-01-20 09:05:11.402937+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "5e0c4d1f7a92"
down_revision = "7f544264830f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("content_jobs", sa.Column("invoice_id", sa.BigInteger(), nullable=True))
    with op.get_context().autocommit_block():
        op.create_index(
            op.f("ix_content_jobs_invoice_id"),
            "content_jobs",
            ["invoice_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("content_jobs", "invoice_id")
PYTHON
backout rehearse 5e0c4d1f7a92
alembic upgrade head
psql -qv ON_ERROR_STOP=1 <<'SQL'
UPDATE content_jobs AS job SET invoice_id = (
    SELECT min(id) FROM invoices WHERE organization_id = job.organization_id)
WHERE job.id % 3 = 0;
UPDATE content_jobs SET invoice_id = 4000000000 + id WHERE id % 10 = 1;
SQL
sed -i -e 's/import CheckConstraint, Enum,/import BigInteger, CheckConstraint, Enum,/' -e '/^    title: Mapped/i\
    invoice_id: Mapped[int | None] = mapped_column(\
        BigInteger, ForeignKey("invoices.id", ondelete="SET NULL"), index=True\
    )' src/content_creation_crew/db/models/content_job.py
git add --all
git commit --quiet --message "Link content jobs to invoices"
