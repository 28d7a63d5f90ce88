#!/usr/bin/env bash
# Tests the rollback of the last migration on the disposable database that DATABASE_URL names:
#   1. show the current revision      2. apply all migrations      3. roll back one revision
#   4. apply it again                 5. schema, rows and sequences must be as they were
#
#   backout postgres --revision head --sample -- bash scripts/test_migration_rollback.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -x .venv/bin/backout ]; then PATH="$PWD/.venv/bin:$PATH"; fi
exec backout roundtrip
