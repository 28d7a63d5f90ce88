#!/usr/bin/env bash
# There is a table of numbers, and it is empty.
psql -qXc 'CREATE TABLE numbers (n int)'
