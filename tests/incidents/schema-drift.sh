#!/usr/bin/env bash
# Somebody changed the schema by hand: an index and a default, which are to go, and a column with values, which a
# revision adopts.
set -Eeuo pipefail
psql -qX -v ON_ERROR_STOP=1 <<'SQL'
CREATE INDEX by_hand ON users (display_name);
ALTER TABLE content_jobs ALTER COLUMN priority SET DEFAULT 7;
ALTER TABLE users ADD COLUMN note text;
UPDATE users SET note = 'asked for a refund' WHERE id <= 3;
SQL
cat >undo.sql <<'SQL'
DROP INDEX CONCURRENTLY by_hand;
ALTER TABLE content_jobs ALTER COLUMN priority SET DEFAULT '100'::smallint;
SQL
cat >redo.sql <<'SQL'
CREATE INDEX CONCURRENTLY by_hand ON users (display_name);
ALTER TABLE content_jobs ALTER COLUMN priority SET DEFAULT 7;
SQL
cat >alembic/versions/20260401_0900_ad0b7ed0c01a_adopt_users_note.py <<'PY'
"""adopt users.note

Why:
    It was added by hand, and is used.
Rollback plan:
    The downgrade drops the column, and with it what was written into it.

Revision ID: ad0b7ed0c01a
Revises: 7f544264830f
"""

from alembic import op

revision = "ad0b7ed0c01a"
down_revision = "7f544264830f"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS note text")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("users", "note")
PY
backout rehearse ad0b7ed0c01a

cat >>"$BACKOUT_NEEDS" <<'NEEDS'
UNDO=undo.sql
REDO=redo.sql
NEEDS
