#!/usr/bin/env bash
# The models know a column by another name than the database.
set -euo pipefail

sed -i 's/^    display_name: Mapped/    full_name: Mapped/' src/content_creation_crew/db/models/user.py
git commit --quiet --all --message "Call users.display_name full_name"
