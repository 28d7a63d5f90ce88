#!/usr/bin/env bash
# The last two revisions refuse e-mail addresses with capitals, which the release before them writes.
set -Eeuo pipefail
alembic downgrade 600767440eda >alembic.log 2>&1 || { cat alembic.log; exit 1; }
rm alembic.log
if psql -qXc "UPDATE users SET email = 'Ann@example.org' WHERE id = 1" 2>refused.log; then exit 1; fi
grep -q ck_users_email_lower_case refused.log
rm refused.log
