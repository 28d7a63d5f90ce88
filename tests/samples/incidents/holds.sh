#!/usr/bin/env bash
# A session holds the table queue.
psql -qXc 'CREATE TABLE queue (id int)' -c 'CREATE TABLE settings AS SELECT true AS is_open'
PGAPPNAME=worker psql -qXc 'BEGIN' -c 'LOCK TABLE queue' -c 'SELECT pg_sleep(600)' >/dev/null 2>&1 &
until psql -XAtc "SELECT 1 FROM pg_locks WHERE relation = 'queue'::regclass AND granted" | grep -q 1; do :; done
echo HOLDER=worker >>"$BACKOUT_NEEDS"
