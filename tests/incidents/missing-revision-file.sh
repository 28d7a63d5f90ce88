#!/usr/bin/env bash
# A revision was applied from a branch that was never merged. The code that is checked out does not have its file.
set -euo pipefail

git checkout --quiet -b hotfix
cat >alembic/versions/20260123_0742_e2a95d08c613_add_sessions_country.py <<'PYTHON'
"""add sessions.country

Why:
    Somebody signs in from where nobody is.
Rollback plan:
    Drops the column, with what was entered since.

Revision ID: e2a95d08c613
Revises: 7f544264830f
Create Date: 2026-01-23 07:42:19.552861+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "e2a95d08c613"
down_revision = "7f544264830f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("sessions", sa.Column("country", sa.Text(), nullable=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("sessions", "country")
PYTHON
backout rehearse e2a95d08c613
git add --all
git commit --quiet --message "Hotfix: note the country of a session"
alembic upgrade head
git checkout --quiet main
