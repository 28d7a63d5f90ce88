#!/usr/bin/env bash
# A report has read users and sits in its transaction. A migration of users without lock_timeout waits for it, and a
# sign-in waits behind the migration.
alembic downgrade 600767440eda >alembic.log 2>&1 || { cat alembic.log; exit 1; }
backout backup record --provider snapshots --snapshot nightly --taken "$(date -u +%FT%TZ)" --by 'the tests'

session() {
  psql -XAtc "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '$1' AND $2"
}
{
  echo 'BEGIN; SELECT count(*) FROM users;'
  until [ -n "$(session report true)" ]; do sleep 0.1; done
  while [ -n "$(session report true)" ]; do sleep 1; done
} | PGAPPNAME=report psql -qX >/dev/null 2>&1 &
until [ -n "$(session report "state = 'idle in transaction'")" ]; do sleep 0.02; done
alembic upgrade 600767440eda:3263c0e46dff --sql 2>alembic.log | grep -v lock_timeout >migration.sql
PGAPPNAME=migration psql -qX -v ON_ERROR_STOP=1 -f migration.sql >/dev/null 2>&1 &
until [ -n "$(session migration "wait_event_type = 'Lock'")" ]; do sleep 0.02; done
PGAPPNAME=web psql -qXc "UPDATE users SET display_name = 'Amara O.' WHERE id = 1" >/dev/null 2>&1 &
until [ -n "$(session web "wait_event_type = 'Lock'")" ]; do sleep 0.02; done
rm alembic.log migration.sql

echo "BLOCKER=$(session report true)" >>"$BACKOUT_NEEDS"
echo "MIGRATION=$(session migration true)" >>"$BACKOUT_NEEDS"
