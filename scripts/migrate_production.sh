#!/usr/bin/env bash
# Applies all pending migrations to the database that DATABASE_URL names, one runner at a time:
# a second one waits for the first and then finds nothing to do.
#
#   DATABASE_URL=postgresql://crew@db.internal/crew bash scripts/migrate_production.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -x .venv/bin/backout ]; then PATH="$PWD/.venv/bin:$PATH"; fi
exec backout apply
