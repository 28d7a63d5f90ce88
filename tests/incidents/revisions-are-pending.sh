#!/usr/bin/env bash
# The new release has a revision that the database has not.
set -Eeuo pipefail
alembic downgrade 76f0ddcb0970 >alembic.log 2>&1 || { cat alembic.log; exit 1; }
rm alembic.log
