#!/usr/bin/env bash
# Two branches were merged, each with a revision on the same parent. One of the two is applied.
set -euo pipefail

write() { # REVISION MINUTE TABLE COLUMN
  cat >"alembic/versions/20260122_11${2}_$1_add_$3_$4.py" <<PYTHON
"""add $3.$4

Why:
    Support asks for it.
Rollback plan:
    Drops the column, with what was entered since.

Revision ID: $1
Revises: 7f544264830f
Create Date: 2026-01-22 11:$2:05.730015+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "$1"
down_revision = "7f544264830f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("$3", sa.Column("$4", sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("$3", "$4")
PYTHON
  git add --all
  git commit --quiet --message "Add $3.$4"
}

git checkout --quiet -b phone
write c41e07b2d95a 08 organizations phone
git checkout --quiet main
write 96d2f8a3b1c0 31 users nickname
alembic upgrade head
git merge --quiet --no-edit phone
backout rehearse c41e07b2d95a 96d2f8a3b1c0
git add --all
git commit --quiet --message "Measure both"
