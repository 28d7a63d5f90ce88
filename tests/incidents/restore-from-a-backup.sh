#!/usr/bin/env bash
# Somebody has deleted all content jobs. There is a backup of before, and something was written since.
set -Eeuo pipefail
dump=$(backout backup | sed -n 1p)
psql -qXc "UPDATE users SET display_name = 'written afterwards' WHERE id = 2" -c 'DELETE FROM content_jobs'
cat >>"$BACKOUT_NEEDS" <<NEEDS
DUMP=$dump
RESTORED=${PGDATABASE}_restored
DAMAGED=${PGDATABASE}_damaged
NEEDS
