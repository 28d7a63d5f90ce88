#!/usr/bin/env bash
# A server of its own, which archives. Somebody has deleted all content jobs on it; a base backup is older than that.
set -Eeuo pipefail

# What bears BACKOUT_STATE is killed by the tests; a server is rather stopped, by the watch below.
as_server='env -u BACKOUT_STATE'
folder=$(TMPDIR=/tmp mktemp -d -t crew.XXXXXX)
chmod 755 "$folder"
if [ "$(id -u)" = 0 ]; then # as which PostgreSQL refuses to run
  chown 65534:65534 "$folder"
  as_server='setpriv --reuid=65534 --regid=65534 --clear-groups env -u BACKOUT_STATE'
fi
server() { $as_server "$@"; }

sleep 900 &
# shellcheck disable=SC2016
env -u BACKOUT_STATE setsid bash -c '
  pids=
  while kill -0 "$2" 2>/dev/null; do
    pids=$(head -qn1 "$1"/*/postmaster.pid 2>/dev/null)
    sleep 0.1
  done
  [ -z "$pids" ] || kill -QUIT $pids
  while pgrep -f "$1/" | grep -qvx $$; do sleep 0.1; done
  rm -rf "$1"
' watch "$folder" $! >/dev/null 2>&1 </dev/null &

url="postgresql:///crew?host=$folder&port=5432&user=postgres"
tell() { psql -d "$url" -qXAt -v ON_ERROR_STOP=1 "$@"; }
server mkdir -m 700 "$folder/archive"
server initdb -D "$folder/data" -U postgres -A trust --wal-segsize=1 --locale=C -E UTF8 --no-sync --no-instructions >initdb.log
rm initdb.log
server tee -a "$folder/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$folder'
archive_mode = on
archive_command = 'test ! -f $folder/archive/%f && cp %p $folder/archive/%f'
fsync = off
CONF
server pg_ctl -D "$folder/data" -l "$folder/data/log" -w start >/dev/null
createdb -h "$folder" -p 5432 -U postgres crew
pg_dump --no-owner "$DATABASE_URL" | tell -f - >/dev/null
server pg_basebackup -d "$url" -D "$folder/base" --checkpoint=fast --no-sync

# What was written since the base backup must come back, too.
tell -c "UPDATE users SET display_name = 'Amara O.' WHERE id = 1"
echo 'SELECT count(*) > 0 FROM content_jobs;' >proof.sql
[ "$(tell -f proof.sql)" = t ]
target=$(tell -c 'SELECT clock_timestamp()')
sleep 0.1
tell -c 'DELETE FROM content_jobs' -c "UPDATE users SET display_name = 'written afterwards' WHERE id = 2"

cat >>"$BACKOUT_NEEDS" <<NEEDS
DATABASE_URL=$url
TARGET_TIME=$target
PROOF=proof.sql
AS_SERVER=$as_server
DATA=$folder/data
BASE_BACKUP=$folder/base
RESTORE_COMMAND=cp $folder/archive/%f "%p"
RESTORED_DATA=$folder/restored
RESTORED_PORT=5433
RESTORED_URL=${url/5432/5433}
NEEDS
