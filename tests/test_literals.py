"""backout.literals: what a revision looks for."""

import pytest

from backout.literals import LONGEST, literals_of_revision, literals_of_sql, unique


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("UPDATE t SET kind = 'new' WHERE kind = 'old'", ("new", "old")),
        ("SELECT 1 WHERE a IN (2, -3, 4.5, 1e3)", (1000.0, 4.5, -3, 1, 2)),
        ("SELECT 'it''s', E'a\\'b\\n', '' ", ("", "a'b\n", "it's")),
        ("DO $do$ BEGIN UPDATE t SET a = 'inner' WHERE b = 7; END $do$", (7, "inner")),
        ("SELECT \"it's\" -- 'comment'\n/* 'other' */ FROM t1 WHERE c2 = :p3 AND d = %(x)s AND e = $4", ()),
        ("SELECT interval '1 day', x::varchar(40), '{\"a\": 1}'::jsonb", (40, "1 day", '{"a": 1}')),
        ("SELECT 'open", ()),
    ],
)
def test_literals_of_sql(sql: str, found: tuple[object, ...]) -> None:
    assert literals_of_sql(sql) == found


def test_literals_of_a_revision_are_those_that_its_statements_look_for() -> None:
    source = '''
"""a docstring with 'words' that selects nothing: where = 'x'"""
import sqlalchemy as sa
from alembic import op
t = sa.table("things", sa.column("kind"))

def upgrade():
    op.add_column("things", sa.Column("label", sa.String(20), server_default="none"))
    op.execute("UPDATE things SET label = 'fresh' WHERE kind = 'old'")
    op.execute(t.update().where(t.c.kind == "stale").values(kind="kept", size=-4))
    op.execute(t.delete().where(t.c.kind.in_(["bad", "worse"])))
    op.execute(f"DELETE FROM {t} WHERE note = 'gone'")
    op.bulk_insert(t, [{"kind": "seeded", "on": True}])
'''
    assert literals_of_revision(source) == (
        True, -4, "bad", "fresh", "gone", "kept", "old", "seeded", "stale", "worse",
    )  # fmt: skip


def test_a_revision_that_does_not_parse_has_no_literals() -> None:
    assert literals_of_revision("def upgrade(:") == ()


def test_unique_keeps_what_a_predicate_may_look_for() -> None:
    values = ["b", "a", "b", 1, True, 1.0, None, b"x", "c" * (LONGEST + 1), "nul\0", [1]]
    assert unique(values) == (True, 1.0, 1, "a", "b")
