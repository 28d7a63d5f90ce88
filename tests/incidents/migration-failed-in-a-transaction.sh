#!/usr/bin/env bash
# A migration runs in a transaction, and its session is ended in the middle: nothing of it is left.
set -Eeuo pipefail
alembic downgrade 3263c0e46dff >alembic.log 2>&1 || { cat alembic.log; exit 1; }
rm alembic.log
backout backup record --provider snapshots --snapshot nightly --taken "$(date -u +%FT%TZ)" --by 'the tests' >/dev/null

sessions() {
  psql -XAtc "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '$1' AND $2"
}
end() { psql -XAtqc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1" >/dev/null; }

PGAPPNAME='export' psql -qXc 'BEGIN; SELECT count(*) FROM newsletter_signups; SELECT pg_sleep(600)' >/dev/null 2>&1 &
until [ -n "$(sessions export "wait_event = 'PgSleep'")" ]; do :; done
backout apply >apply.log 2>&1 &
until [ -n "$(sessions 'backout upgrade %' "wait_event_type = 'Lock'")" ]; do :; done
end "$(sessions 'backout upgrade %' true)"
if wait $!; then cat apply.log; exit 1; fi
grep -q 'runbook: migration-failed-half-way$' apply.log
grep -q 'nothing of it is left' apply.log
end "$(sessions export true)"

touch undo.sql
echo UNDO=undo.sql >>"$BACKOUT_NEEDS"
