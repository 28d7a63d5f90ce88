#!/usr/bin/env bash
# A runner of migrations has vanished with its machine, in the middle of a transaction: the server does not know it yet,
# and keeps its sessions, with the migration lock and the locks on users.
set -Eeuo pipefail
alembic downgrade 600767440eda >alembic.log 2>&1 || { cat alembic.log; exit 1; }
backout backup record --provider snapshots --snapshot nightly --taken "$(date -u +%FT%TZ)" --by 'the tests' >/dev/null

sessions() {
  psql -XAtc "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '$1' AND $2"
}
{
  echo 'BEGIN; SELECT count(*) FROM users;'
  until [ -n "$(sessions report true)" ]; do sleep 0.1; done
  while [ -n "$(sessions report true)" ]; do sleep 1; done
} | PGAPPNAME=report psql -qX >/dev/null 2>&1 &
until [ -n "$(sessions report "state = 'idle in transaction'")" ]; do :; done
backout apply >/dev/null 2>&1 &
runner=$!
until [ -n "$(sessions 'backout upgrade %' "wait_event_type = 'Lock'")" ]; do :; done
# Frozen, it neither says anything nor closes anything: as good as gone.
mapfile -t processes < <(pgrep -P "$runner")
kill -STOP "$runner" "${processes[@]}"
psql -XAtqc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = 'report'" >/dev/null
until [ -n "$(sessions 'backout upgrade %' "state = 'idle in transaction'")" ]; do :; done
rm alembic.log

pids=$(sessions 'backout %' true | paste -sd,)
echo "RUNNER=$pids" >>"$BACKOUT_NEEDS"
{
  while [ -n "$(sessions '%' "pid IN ($pids)")" ]; do sleep 1; done
  kill -KILL "$runner" "${processes[@]}"
} >/dev/null 2>&1 &
