#!/usr/bin/env bash
# The models require a column that the database still lets be NULL, and in some rows it is.
set -euo pipefail

sed -i 's/billing_email: Mapped\[str | None\]/billing_email: Mapped[str]/' src/content_creation_crew/db/models/organization.py
git commit --quiet --all --message "Require organizations.billing_email"
