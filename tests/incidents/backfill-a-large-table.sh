#!/usr/bin/env bash
# A release counts words; what was written before has no count. Enough of it for several batches.
set -euo pipefail

psql -qv ON_ERROR_STOP=1 <<'SQL'
INSERT INTO content_artifacts (content_job_id, kind, version, body, word_count)
SELECT (SELECT min(id) FROM content_jobs), 'draft', 1000 + number, repeat('some words ', number % 300 + 1), NULL
FROM generate_series(1, 2500) AS number;
SQL
