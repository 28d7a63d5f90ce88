"""What goes with rows that a downgrade deletes, by the foreign keys of other tables.

The rehearsal may not have had such rows; the database that people use has them.

``production.preview`` and ``production.salvage`` import it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, LiteralString

import psycopg
from psycopg.rows import tuple_row

from backout.production.doomed import Doomed
from backout.tables import Table


def cascades(
    connection: psycopg.Connection[Any], found: Sequence[Doomed], tables: Mapping[str, Table]
) -> Iterator[Doomed]:
    """Rows that are deleted with those, and columns that become NULL or their default; reads the catalogue.

    :param found: what is doomed by the evidence.
    """
    whole = [one.table for one in found if one.fate == "rows" and one.table in tables]
    known = {(one.table, one.column) for one in found}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for name, column in cursor.execute(_CASCADES, [whole]).fetchall() if whole else ():
            if name in tables and not {(name, None), (name, column)} & known:
                yield Doomed(name, column, "rows" if column is None else "overwritten", None)


# Child tables, whole where their rows are deleted, too; else their columns that become NULL or the default.
_CASCADES: LiteralString = """
    WITH RECURSIVE reached(oid, columns) AS (
        SELECT to_regclass(name)::oid, NULL::int2[] FROM unnest(%s::text[]) AS name
        UNION
        SELECT conrelid, CASE confdeltype WHEN 'c' THEN NULL ELSE coalesce(confdelsetcols, conkey) END
        FROM reached JOIN pg_constraint ON confrelid = reached.oid
        WHERE contype = 'f' AND confdeltype IN ('c', 'n', 'd') AND conparentid = 0 AND reached.columns IS NULL
    )
    SELECT DISTINCT quote_ident(nspname) || '.' || quote_ident(relname), quote_ident(attname)
    FROM reached JOIN pg_class AS c ON c.oid = reached.oid JOIN pg_namespace AS n ON n.oid = relnamespace
    LEFT JOIN pg_attribute ON attrelid = c.oid AND attnum = ANY (reached.columns)
    ORDER BY 1, 2 NULLS FIRST
"""
