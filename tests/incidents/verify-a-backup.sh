#!/usr/bin/env bash
# The newest backup was verified, and then its file lost its end.
set -Eeuo pipefail
dump=$(backout backup | sed -n 1p)
backout backup verify --latest >/dev/null
truncate -s 5000 "$dump"
