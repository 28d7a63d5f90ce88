#!/usr/bin/env bash
# The last revision has added retention_notifications, and it was filled since.
set -Eeuo pipefail
alembic downgrade f90d1fd6d569 >alembic.log 2>&1 || { cat alembic.log; exit 1; }
rm alembic.log
psql -XAtc 'SELECT count(*) > 0 FROM retention_notifications' | grep -qx t
