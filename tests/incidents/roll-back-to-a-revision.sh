#!/usr/bin/env bash
# The last two revisions have taken away subscriptions.price, which the release before them reads.
set -Eeuo pipefail
alembic downgrade bcc48110e6e0 >alembic.log 2>&1 || { cat alembic.log; exit 1; }
rm alembic.log
if psql -qXc 'SELECT price FROM subscriptions' 2>refused.log; then exit 1; fi
grep -q 'column "price" does not exist' refused.log
rm refused.log
