#!/usr/bin/env bash
# The models have a wider type than the database.
set -euo pipefail

sed -i -e 's/word_count: Mapped\[int | None\]/word_count: Mapped[int | None] = mapped_column(BigInteger)/' \
  -e 's/import CheckConstraint,/import BigInteger, CheckConstraint,/' \
  src/content_creation_crew/db/models/content_artifact.py
git commit --quiet --all --message "Count the words of whole books"
