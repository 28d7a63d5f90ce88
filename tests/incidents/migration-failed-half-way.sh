#!/usr/bin/env bash
# A migration builds an index outside of a transaction, and its session is ended in the middle: half an index is left.
set -Eeuo pipefail
alembic downgrade 76f0ddcb0970 >alembic.log 2>&1 || { cat alembic.log; exit 1; }
rm alembic.log
backout backup record --provider snapshots --snapshot nightly --taken "$(date -u +%FT%TZ)" --by 'the tests' >/dev/null

sessions() {
  psql -XAtc "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '$1' AND $2"
}
end() { psql -XAtqc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1" >/dev/null; }

# The build waits for whoever writes.
PGAPPNAME=import psql -qXc 'BEGIN; UPDATE content_jobs SET priority = priority; SELECT pg_sleep(600)' >/dev/null 2>&1 &
until [ -n "$(sessions import "wait_event = 'PgSleep'")" ]; do :; done
backout apply >apply.log 2>&1 &
until psql -XAtc 'SELECT count(*) FROM pg_index WHERE NOT indisvalid' | grep -qx 1 &&
  [ -n "$(sessions 'backout upgrade %' "wait_event_type = 'Lock'")" ]; do :; done
end "$(sessions 'backout upgrade %' true)"
if wait $!; then cat apply.log; exit 1; fi
grep -q 'runbook: migration-failed-half-way$' apply.log
end "$(sessions import true)"

echo 'DROP INDEX CONCURRENTLY ix_content_jobs_queue;' >undo.sql
echo UNDO=undo.sql >>"$BACKOUT_NEEDS"
