"""Rows on which a migration fails: what to count before it is applied, and which tables to fill tamely.

From an error of PostgreSQL and the definitions that the migration brings to a query that counts the violators.
Not here: running it (``production``). Pure.
"""

import re
from collections.abc import Mapping

# Class 22 is "data exception", class 23 "integrity constraint violation" (manual, appendix A); P0001 is a guard's own.
_DATA = re.compile(r"(22...|23...|P0001)")


def is_about_data(sqlstate: str | None) -> bool:
    """Whether an error speaks of rows, and not of the statement."""
    return sqlstate is not None and _DATA.fullmatch(sqlstate) is not None


def count_query(
    sqlstate: str, table: str, *, column: str | None, definition: str | None, narrowed: Mapping[str, int]
) -> str | None:
    """A query that counts the rows which violate what the migration demands; None where no query can.

    :param table: quoted, with its schema; ``column`` is quoted, too.
    :param definition: of the constraint or index that refused, as ``pg_get_constraintdef`` or ``pg_get_indexdef``
        writes it.
    :param narrowed: quoted columns of the table that become shorter texts → their new length, in characters.
    """
    definition = definition or ""
    if sqlstate == "23502" and column:
        return f"SELECT count(*) FROM {table} WHERE {column} IS NULL"
    if sqlstate == "23514" and (expression := _within(definition, "CHECK")):
        return f"SELECT count(*) FROM {table} WHERE NOT {expression}"
    if sqlstate == "23505" and (keys := _unique_keys(definition)):
        return (
            f"SELECT coalesce(sum(n), 0) FROM (SELECT count(*) AS n {_groups(table, keys, definition)}) AS duplicates"
        )
    if sqlstate == "23503" and (found := _FOREIGN_KEY.search(definition)):
        columns, parent, referenced = found.groups()
        return (
            f"SELECT count(*) FROM {table} AS child WHERE ({columns}) IS NOT NULL AND NOT EXISTS "
            f"(SELECT FROM {parent} AS parent WHERE ({_of('parent', referenced)}) = ({_of('child', columns)}))"
        )
    if sqlstate == "22001" and narrowed:
        # A cast cuts spaces off the end without complaint.
        longer = (f"char_length(rtrim({name}::text)) > {length}" for name, length in sorted(narrowed.items()))
        return f"SELECT count(*) FROM {table} WHERE {' OR '.join(longer)}"
    return None


_FOREIGN_KEY = re.compile(r"FOREIGN KEY \((.+?)\) REFERENCES ([^(]+?)\s*\((.+?)\)")


def _unique_keys(definition: str) -> str | None:
    if definition.startswith("CREATE"):
        return _within(definition, r"USING \w+")
    return _within(definition, r"UNIQUE(?: NULLS NOT DISTINCT)?|PRIMARY KEY")


def _groups(table: str, keys: str, definition: str) -> str:
    partial = re.search(r"\) WHERE (\(.*\))", definition)
    conditions = [f"({partial[1]})"] if partial else []
    if "NULLS NOT DISTINCT" not in definition:  # else rows with a NULL are never duplicates
        conditions.append(f"ROW{keys} IS NOT NULL")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"FROM {table}{where} GROUP BY {keys} HAVING count(*) > 1"


def _within(definition: str, keyword: str) -> str | None:
    """The parenthesis after a keyword, whole, with the parentheses."""
    start = re.search(rf"(?:{keyword})\s*(?=\()", definition)
    if start is None:
        return None
    depth, quote = 0, ""
    for index, character in enumerate(definition[start.end() :], start.end()):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return definition[start.end() : index + 1]
    return None


def _of(alias: str, columns: str) -> str:
    return ", ".join(f"{alias}.{column.strip()}" for column in columns.split(","))
