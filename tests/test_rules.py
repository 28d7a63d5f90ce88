"""backout.rules: what is found in evidence, in which words; what must not be found; and waivers.

``samples/rules/*.yaml`` hold for every hazard what a rehearsal of its ``unsafe.py`` measured, as far as it differs from
a revision that does nothing, and the findings that come of it, word for word.
"""

import ast
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from backout.errors import ConfigurationError
from backout.evidence import Evidence, Loss, SchemaChange
from backout.rules import PREDICATES, Finding, Waiver, apply_waivers, judge, load_catalogue, waivers
from backout.rules.facts import column, labels, mentions, python, shape

SAMPLES: Mapping[str, Any] = {
    hazard: case
    for path in sorted((Path(__file__).parent / "samples" / "rules").glob("*.yaml"))
    for hazard, case in yaml.safe_load(path.read_text(encoding="utf-8")).items()
}

STEPS = ("upgrade", "downgrade", "reupgrade", "lived_in_downgrade", "lived_in_reupgrade")
STEP = {"outcome": "applied", "transactional": True, "fails_on_data": [], "statements": [{"sql": "SELECT 1"}]}
STATEMENT: dict[str, Any] = {"locks": [], "rewrites": [], "indexes": [], "scans": [], "rows_changed": None}
CLEAN: dict[str, Any] = {
    "revision": "unsafe",
    "parents": ["shop"],
    "path": "alembic/versions/unsafe.py",
    "summary": "a revision",
    "fingerprint": "f",
    "postgres": 18,
    **dict.fromkeys(STEPS, STEP),
    "schema": {"changes": [], "restored": True, "differences": [], "reupgrade_differences": [], "notes": []},
    "loss": {"upgrade": [], "untouched": [], "lived_in": []},
    "compatibility": {"previous_on_new": [], "next_on_old": [], "order": "either"},
    "seeded": {"tables": 1, "of": 1, "columns": 4, "of_columns": 4},
    "unproven": [],
    "assumptions": [],
}


def evidence(**given: Any) -> Evidence:
    """A revision of which all was measured and nothing is wrong, but for what is given; parts are merged."""
    merged = {name: {**CLEAN[name], **part} if isinstance(part, dict) else part for name, part in given.items()}
    for step in STEPS:
        if step in merged:
            statements = [{**STATEMENT, **one} for one in merged[step].get("statements") or []]
            merged[step] = {**merged[step], "statements": statements}
    return msgspec.convert({**CLEAN, **merged}, Evidence)


def change(kind: str, name: str, before: str | None, after: str | None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "before": before, "after": after}


def lock(relation: str, *blocks: str, acquired: bool = True) -> dict[str, Any]:
    mode = {0: "ShareUpdateExclusiveLock", 1: "ShareLock", 2: "AccessExclusiveLock"}[len(blocks)]
    return {"relation": relation, "mode": mode, "blocks": list(blocks), "acquired": acquired}


def closed(relation: str, *, acquired: bool = True) -> dict[str, Any]:
    return lock(relation, "reads", "writes", acquired=acquired)


def upgrade(*statements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"upgrade": {"statements": list(statements), **more}}


def loss(table: str, name: str | None, distinct: tuple[int, int], lost: int = 3, of: int = 6) -> dict[str, Any]:
    return {
        "table": table, "column": name, "lost": lost, "of": of, "example": ["Ann", None], "distinct": list(distinct),
    }  # fmt: skip


def texts_in(code: str) -> list[str]:
    constants = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
    return [value for value in constants if isinstance(value, str)]


def found(given: Evidence) -> list[tuple[str, str]]:
    return [(finding.hazard, finding.subject) for finding in judge(given)]


# -- every hazard ---------------------------------------------------------------------------------------------


def test_every_hazard_has_a_sample() -> None:
    assert SAMPLES.keys() == PREDICATES.keys()


@pytest.mark.parametrize("hazard", SAMPLES)
def test_a_hazard_is_found_and_told(hazard: str) -> None:
    findings = [finding for finding in judge(evidence(**SAMPLES[hazard]["evidence"])) if finding.hazard == hazard]
    told = [
        {"severity": one.severity, "subject": one.subject, "message": one.message}
        | ({"fix": f"{one.fix}\n"} if one.fix else {})
        for one in findings
    ]
    assert told == SAMPLES[hazard]["findings"]


@pytest.mark.parametrize("hazard", SAMPLES)
def test_nothing_else_is_found(hazard: str) -> None:
    """Nothing but the hazard and what its entry says it entails."""
    present = {finding.hazard for finding in judge(evidence(**SAMPLES[hazard]["evidence"]))}
    assert present == {hazard, *load_catalogue()[hazard].entails}


@pytest.mark.parametrize("hazard", [name for name, case in SAMPLES.items() if "fix" in str(case["findings"])])
def test_a_fix_is_python(hazard: str) -> None:
    for finding in judge(evidence(**SAMPLES[hazard]["evidence"])):
        if finding.fix:
            ast.parse(finding.fix)


def test_the_worst_comes_first() -> None:
    findings = judge(evidence(**SAMPLES["columns-rebuilt-by-guess"]["evidence"]))
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    assert {"error", "warning", "note"} == set(severities)


def test_a_catalogue_of_ones_own() -> None:
    given = evidence(**SAMPLES["plain-index"]["evidence"])
    assert judge(given, {}) == ()
    hazard = replace(load_catalogue()["plain-index"], message="Look at {table} {not a name} {}.", fix=None)
    assert judge(given, {"plain-index": hazard}) == (
        Finding("plain-index", "warning", "public.orders", "Look at public.orders {not a name} {}."),
    )


# -- what must not be found -----------------------------------------------------------------------------------


def test_nothing_is_wrong() -> None:
    assert judge(evidence()) == ()


def test_what_was_not_measured_is_no_finding() -> None:
    """It is *unproven*, which the verdict says."""
    nothing = evidence(
        **{key: {"outcome": "not-run", "fails_on_data": None, "transactional": None} for key in STEPS},
        schema=dict.fromkeys(("changes", "restored", "differences", "reupgrade_differences", "notes")),
        loss=dict.fromkeys(("upgrade", "untouched", "lived_in")),
        compatibility=dict.fromkeys(("previous_on_new", "next_on_old", "order")),
        seeded=None,
    )
    unseen = replace(nothing, **{step: replace(getattr(nothing, step), statements=None) for step in STEPS})
    assert judge(unseen) == ()
    blind = evidence(**upgrade({"sql": "DROP INDEX CONCURRENTLY i", **dict.fromkeys(STATEMENT)}))
    assert judge(blind) == ()


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param({"sql": "ALTER TABLE users ADD COLUMN bio text", "locks": [closed("public.users")]}, id="instant"),
        pytest.param(
            {"sql": "ALTER TABLE users ALTER COLUMN name TYPE varchar(120)", "locks": [closed("public.users")]},
            id="widened",
        ),
        pytest.param(
            {
                "sql": "ALTER TABLE users VALIDATE CONSTRAINT c",
                "locks": [lock("public.users")],
                "scans": ["public.users"],
            },
            id="validated-alone",
        ),
        pytest.param(
            {
                "sql": "CREATE INDEX CONCURRENTLY i ON users (name)",
                "locks": [lock("public.users")],
                "scans": ["public.users"],
            },
            id="concurrently",
        ),
        pytest.param({"sql": "UPDATE users SET name = name WHERE false", "rows_changed": 0}, id="no-row"),
        pytest.param({"sql": "INSERT INTO users (name) VALUES ('x')", "rows_changed": 1}, id="insert"),
    ],
)
def test_harmless_statements(statement: dict[str, Any]) -> None:
    assert judge(evidence(**upgrade(statement))) == ()


def test_tables_of_the_same_revision_do_not_count() -> None:
    """Locks on them are no evidence, and nobody else can use what was added to them."""
    created = [
        change("table", "public.logs", None, "TABLE"),
        change("column", "public.logs.id", None, "bigint NOT NULL"),
        change("constraint", "public.logs.logs_check", None, "CHECK ((id > 0))"),
        change(
            "constraint", "public.logs.logs_fkey", None, "FOREIGN KEY (id) REFERENCES public.logs ON DELETE CASCADE"
        ),
        change("privilege", "table public.logs", None, "SELECT TO PUBLIC"),
        change("policy", "public.logs.mine", None, "AS PERMISSIVE FOR ALL TO PUBLIC"),
    ]
    statements = [{"sql": "CREATE TABLE logs ()"}, {"sql": "CREATE INDEX i ON logs (id)"},
                  {"sql": "UPDATE logs SET id = 1", "rows_changed": 3}]  # fmt: skip
    assert judge(evidence(schema={"changes": created}, **upgrade(*statements))) == ()


def test_a_downgrade_that_does_nothing_may_be_right() -> None:
    assert judge(evidence(downgrade={"outcome": "no-op", "statements": []})) == ()


def test_a_value_that_comes_back_is_not_lost() -> None:
    """What the upgrade alone removes is the salvage's business."""
    dropped = [change("column", "public.users.bio", "text", None)]
    assert judge(evidence(schema={"changes": dropped}, loss={"upgrade": [loss("public.users", "bio", (6, 0))]})) == ()


def test_a_batched_backfill_is_no_single_statement() -> None:
    batch = {"sql": "UPDATE users SET bio = '' WHERE id IN (SELECT id FROM users WHERE bio IS NULL LIMIT 1000)"}
    statements = [{**batch, "rows_changed": 6}, {**batch, "rows_changed": 0}]
    assert judge(evidence(**upgrade(*statements))) == ()
    assert found(evidence(**upgrade(statements[0]))) == [("backfill-in-one-statement", batch["sql"])]


def test_an_insert_without_parents_tells_nothing_about_the_schema() -> None:
    """The upgrade emptied the table that the previous release's insert would refer to."""
    refused = {"statement": "INSERT public.items", "error": '23502 null value in column "order_id" of relation "items"'}
    other = [change("column", "public.itemsets.id", "integer", "bigint")]
    assert judge(evidence(schema={"changes": other}, compatibility={"previous_on_new": [refused]})) == ()


# -- statements ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "hazard"),
    [
        ("ALTER TABLE users ALTER COLUMN id TYPE bigint", "type-change-rewrites"),
        ('alter table "users"\n  alter id set data type bigint', "type-change-rewrites"),
        ("ALTER TABLE users ADD id bigserial", "serial-column-rewrites"),
        ("ALTER TABLE users ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY", "serial-column-rewrites"),
        ("ALTER TABLE users ADD COLUMN n int GENERATED ALWAYS AS (id * 2) STORED", "stored-generated-column-rewrites"),
        ("ALTER TABLE users ADD COLUMN IF NOT EXISTS u uuid DEFAULT gen_random_uuid()", "volatile-default-rewrites"),
        ("ALTER TABLE users ADD share percentage", "constrained-domain-rewrites"),
        ("VACUUM FULL users", "clustered-table"),
        ("ALTER TABLE users SET TABLESPACE fast", "storage-change-rewrites"),
        ("ALTER TABLE users SET ACCESS METHOD heap2", "storage-change-rewrites"),
        ("SELECT make_all_bigint()", "table-rewritten"),
        ("DO $$BEGIN ALTER TABLE users ALTER COLUMN id TYPE bigint; END$$", "table-rewritten"),
        ("ALTER TABLE users ALTER COLUMN id SET DEFAULT 'TYPE bigint'", "table-rewritten"),
    ],
)
def test_why_a_table_was_rewritten(sql: str, hazard: str) -> None:
    statement = {"sql": sql, "locks": [closed("public.users")], "rewrites": ["public.users"], "scans": ["public.users"]}
    assert found(evidence(**upgrade(statement))) == [(hazard, "public.users")]


@pytest.mark.parametrize(
    ("sql", "blocks", "hazard"),
    [
        ("CREATE INDEX ON users (name)", ("writes",), "plain-index"),
        ("CREATE UNIQUE INDEX IF NOT EXISTS i ON users (name)", ("writes",), "plain-unique-index"),
        ("ALTER TABLE users ADD UNIQUE (name)", ("reads", "writes"), "unique-constraint-builds-index"),
        ("ALTER TABLE users ADD COLUMN n int UNIQUE", ("reads", "writes"), "unique-constraint-builds-index"),
        ("ALTER TABLE users ADD PRIMARY KEY (id)", ("reads", "writes"), "primary-key-builds-index"),
        (
            "ALTER TABLE users ADD CONSTRAINT k PRIMARY KEY USING INDEX i",
            ("reads", "writes"),
            "primary-key-on-nullable-column-scans",
        ),
        ("ALTER TABLE users ADD CHECK (id > 0)", ("reads", "writes"), "check-constraint-scans"),
        ("ALTER TABLE users ADD COLUMN n int CHECK (n > 0)", ("reads", "writes"), "check-constraint-scans"),
        ("ALTER TABLE users ADD FOREIGN KEY (id) REFERENCES people", ("writes",), "foreign-key-scans"),
        ("ALTER TABLE users ADD EXCLUDE (n WITH =)", ("reads", "writes"), "exclusion-constraint-builds-index"),
        ("ALTER TABLE users ALTER name SET NOT NULL", ("reads", "writes"), "not-null-scans"),
        ("ALTER TABLE users VALIDATE CONSTRAINT c", ("reads", "writes"), "validated-under-lock"),
        ("ALTER TABLE users VALIDATE CONSTRAINT c", ("writes",), "writes-blocked-during-scan"),
        ("ALTER DOMAIN name SET NOT NULL", ("writes",), "domain-constraint-scans"),
        ("ALTER TABLE users ADD COLUMN n int NOT NULL", ("reads", "writes"), "required-column-without-default"),
        ("REINDEX INDEX i", ("writes",), "reindexed-table"),
        ("SELECT check_all()", ("reads", "writes"), "table-scanned-under-lock"),
        ("SELECT check_all()", ("writes",), "writes-blocked-during-scan"),
    ],
)  # fmt: skip
def test_why_a_table_was_read(sql: str, blocks: tuple[str, ...], hazard: str) -> None:
    statement = {"sql": sql, "locks": [lock("public.users", *blocks)], "scans": ["public.users"]}
    assert found(evidence(**upgrade(statement))) == [(hazard, "public.users")]


def test_indexes_that_are_built_again() -> None:
    statement = {
        "sql": 'ALTER TABLE users ALTER COLUMN name TYPE text COLLATE "C"',
        "locks": [closed("public.users")],
        "scans": ["public.users"],
        "indexes": ["public.users_name_idx"],
    }
    assert found(evidence(**upgrade(statement))) == [("type-change-rebuilds-indexes", "public.users")]
    read = {**statement, "indexes": []}
    assert found(evidence(**upgrade(read))) == [("type-change-reads-table", "public.users")]


def test_a_lock_of_an_earlier_statement_makes_it_worse() -> None:
    earlier = {"sql": "ALTER TABLE users ADD bio text", "locks": [closed("public.users")]}
    index = {
        "sql": "CREATE INDEX i ON users (bio)",
        "locks": [closed("public.users", acquired=False)],
        "scans": ["public.users"],
    }
    assert found(evidence(**upgrade(earlier, index))) == [("slow-work-under-lock", "public.users")]
    update = {"sql": "UPDATE users SET bio = ''", "locks": [closed("public.users", acquired=False)], "rows_changed": 6}
    assert found(evidence(**upgrade(earlier, update))) == [
        ("backfill-under-lock", "public.users"),
        ("backfill-in-one-statement", "UPDATE users SET bio = ''"),
    ]
    # Of another table it does not matter how many rows there are; that one stays closed all the same.
    elsewhere = {"sql": "DELETE FROM logs", "locks": [closed("public.users", acquired=False)], "rows_changed": 1}
    assert ("backfill-under-lock", "public.users") in found(evidence(**upgrade(earlier, elsewhere)))


def test_a_fix_keeps_the_users_statement() -> None:
    sql = 'CREATE UNIQUE INDEX "Index ""1""" ON "Sales"."Ord\'ers" USING btree ("a b", lower(c)) WHERE d = \'INDEX\''
    statement = {"sql": sql, "locks": [lock('"Sales"."Ord\'ers"', "writes")], "scans": ['"Sales"."Ord\'ers"']}
    (finding,) = judge(evidence(**upgrade(statement)))
    assert finding.fix is not None
    (literal,) = texts_in(finding.fix)
    assert literal == sql.replace("UNIQUE INDEX", "UNIQUE INDEX CONCURRENTLY")


def test_one_foreign_key_is_one_finding() -> None:
    name = "ALTER TABLE orders ADD CONSTRAINT orders_fkey FOREIGN KEY (user_id) REFERENCES users (id)"
    statement = {
        "sql": name,
        "locks": [lock("public.orders", "writes"), lock("public.users", "writes")],
        "scans": ["public.orders", "public.users"],
    }
    key = "FOREIGN KEY (user_id) REFERENCES public.users(id)"
    added = [change("constraint", "public.orders.orders_fkey", None, key)]
    assert found(evidence(schema={"changes": added}, **upgrade(statement))) == [
        ("foreign-key-scans", "public.orders"),
        ("new-constraint-rejects-old-writers", "public.orders.orders_fkey"),
    ]


def test_locks_of_a_downgrade_count_where_they_are_worse() -> None:
    quick = {"sql": "DROP INDEX CONCURRENTLY i", "locks": [lock("public.users")]}
    slow = {"sql": "CREATE INDEX i ON users (a)", "locks": [lock("public.users", "writes")], "scans": ["public.users"]}
    worse = {"sql": "ALTER TABLE users ALTER a TYPE int", "locks": [closed("public.users")], "scans": ["public.users"],
             "rewrites": ["public.users"]}  # fmt: skip
    down = {"downgrade": {"statements": [slow, worse]}}
    (finding,) = judge(evidence(**upgrade(quick), **down))
    assert finding.message == (
        "The downgrade needs a rewrite of public.users that blocks reads and writes, and the upgrade did not: "
        "`ALTER TABLE users ALTER a TYPE int`. Write the downgrade as carefully as an upgrade."
    )
    assert "downgrade-blocks-more" not in dict(found(evidence(**upgrade(worse), **down)))
    filled = {"sql": "UPDATE users SET a = 1", "rows_changed": 3, "locks": [closed("public.users", acquired=False)]}
    assert found(evidence(**upgrade(quick), downgrade={"statements": [filled]})) == [
        ("downgrade-blocks-more", "public.users")
    ]


# -- releases --------------------------------------------------------------------------------------------------


def test_a_dropped_and_a_new_column_are_a_rename_only_where_something_was_renamed() -> None:
    changes = [change("column", "public.users.a", "text", None), change("column", "public.users.b", None, "text")]
    failing = {"previous_on_new": [{"statement": "SELECT public.users", "error": '42703 column "a" does not exist'}]}
    split = {**failing, "order": "split"}
    apart = upgrade({"sql": "ALTER TABLE users ADD b text"}, {"sql": "ALTER TABLE users DROP a"})
    assert found(evidence(schema={"changes": changes}, compatibility=split, **apart)) == [
        ("neither-order-works", "public.users"),
        ("dropped-column-still-read", "public.users.a"),
    ]
    renamed = upgrade({"sql": "ALTER TABLE users RENAME a TO b"})
    assert found(evidence(schema={"changes": changes}, compatibility=split, **renamed)) == [
        ("renamed-column", "public.users.a")
    ]
    other = [changes[0], change("column", "public.users.b", None, "integer")]
    assert found(evidence(schema={"changes": other}, compatibility=split, **renamed)) == [
        ("neither-order-works", "public.users"),
        ("dropped-column-still-read", "public.users.a"),
    ]


def test_each_column_is_told_once() -> None:
    changes = [change("column", "public.users.a", "text", None)]
    failing = [{"statement": f"{verb} public.users", "error": '42703 column "a"'} for verb in ("INSERT", "SELECT")]
    given = evidence(schema={"changes": changes}, compatibility={"previous_on_new": failing, "order": "after"})
    assert found(given) == [("dropped-column-still-read", "public.users.a")]


@pytest.mark.parametrize(
    ("before", "after", "narrower"),
    [
        ("character varying(40)", "character varying(20)", True),
        ("character varying(40)", "character varying(80)", False),
        ("character varying(40)", "text", False),
        ("text", "character varying(40)", True),
        ("text", "integer", True),
        ("bigint", "integer", True),
        ("integer", "bigint", False),
        ("numeric(10,2)", "numeric(12,2)", False),
        ("numeric(10,2)", "numeric(10,4)", True),
        ("numeric(10,2)", "numeric", False),
        ("numeric", "numeric(10,2)", True),
        ("timestamp with time zone", "timestamp(0) with time zone", False),
        ("text", 'text COLLATE "C"', False),
    ],
)
def test_narrower_types(before: str, after: str, narrower: bool) -> None:
    altered = [change("column", "public.users.a", f"{before} NOT NULL", f"{after} NOT NULL")]
    expected = [("narrower-type-rejects-old-writers", "public.users.a")] if narrower else []
    assert found(evidence(schema={"changes": altered})) == expected


def test_a_constraint_of_a_new_column_concerns_no_old_writer() -> None:
    new = [
        change("column", "public.users.age", None, "integer"),
        change("constraint", "public.users.users_age_check", None, "CHECK ((age > 0))"),
    ]
    assert found(evidence(schema={"changes": new})) == []


# -- values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "hazard"),
    [
        ("text", "character varying(9)", "text-truncated"),
        ("text", "character(9)", "char-padding-lost"),
        ("character(9)", "text", "char-padding-lost"),
        ("character varying(9)", 'character varying(5) COLLATE "C"', "text-truncated"),
        ("numeric(9,4)", "numeric(9,2)", "numeric-rounded"),
        ("real", "integer", "numeric-rounded"),
        ("double precision", "real", "float-precision-lost"),
        ("timestamp with time zone", "timestamp(3) with time zone", "fractional-seconds-lost"),
        ("timestamp without time zone", "timestamp with time zone", "time-zone-shifts-values"),
        ("timestamp(3) without time zone", "date", "time-of-day-lost"),
        ("jsonb", "json", "json-text-lost"),
        ("integer[]", "integer", "array-collapsed"),
        ("date", "text", "type-change-loses-values"),
        ("public.mood", "text", "type-change-loses-values"),
    ],
)
def test_what_a_type_change_loses(before: str, after: str, hazard: str) -> None:
    altered = [change("column", "public.users.a", before, after)]
    lost = {"untouched": [loss("public.users", "a", (6, 5))]}
    assert [name for name, _ in found(evidence(schema={"changes": altered}, loss=lost))] == [hazard]


@pytest.mark.parametrize(
    ("statement", "hazard"),
    [
        ("DELETE FROM users WHERE id < 3", "rows-deleted"),
        ('DELETE FROM ONLY public."users"', "rows-deleted"),
        ("DELETE FROM accounts USING users WHERE users.id = accounts.id", "delete-cascades"),
        ("TRUNCATE TABLE users", "truncated-table"),
        ("TRUNCATE accounts CASCADE", "truncate-cascades"),
        ("DROP TABLE IF EXISTS users", "table-recreated"),
        ("SELECT clean_up()", "rows-deleted"),
    ],
)
def test_what_took_the_rows(statement: str, hazard: str) -> None:
    given = evidence(loss={"untouched": [loss("public.users", None, (6, 3))]}, **upgrade({"sql": statement}))
    assert [name for name, _ in found(given)] == [hazard]


def test_columns_of_an_emptied_table_go_without_saying() -> None:
    lost = [loss("public.users", None, (6, 0), 6, 6), loss("public.users", "name", (6, 0), 6, 6)]
    dropped = [change("table", "public.users", "TABLE", None), change("column", "public.users.name", "text", None)]
    assert found(evidence(schema={"changes": dropped}, loss={"untouched": lost})) == [
        ("dropped-table-comes-back-empty", "public.users")
    ]


def test_quoted_names_in_message_and_fix() -> None:
    table, name = 'public."Odd ""Table"""', '"a.b"'
    dropped = SchemaChange("column", f"{table}.{name}", "text NOT NULL", None)
    lost = Loss(table, name, 2, 2, ('it\'s\n"quoted"', None), (2, 0))
    clean = evidence()
    (finding,) = judge(
        replace(clean, schema=replace(clean.schema, changes=(dropped,)), loss=replace(clean.loss, untouched=(lost,)))
    )
    assert (finding.hazard, finding.subject) == ("dropped-column-comes-back-empty", f"{table}.{name}")
    assert finding.message.startswith(f"{table}.{name} comes back empty: 2 of 2 values are gone")
    assert finding.fix is not None
    assert "e.g. 'it's\\n\"quoted\"' → NULL. " in finding.message
    assert sorted(texts_in(finding.fix)) == [
        f'ALTER TABLE {table} ALTER COLUMN "a.b" DROP NOT NULL',
        f'ALTER TABLE {table} ALTER COLUMN "a.b" SET NOT NULL',
        f'ALTER TABLE {table} RENAME COLUMN "a.b" TO "a.b_dropped"',
        f'ALTER TABLE {table} RENAME COLUMN "a.b_dropped" TO "a.b"',
    ]


def test_what_is_written_into_a_new_partition() -> None:
    added = [change("table", "public.logs_2027", None, "TABLE PARTITION OF public.logs FOR VALUES IN (1)")]
    given = evidence(schema={"changes": added}, loss={"lived_in": [loss("public.logs", None, (6, 3))]})
    assert found(given) == [("values-written-since-are-lost", "public.logs_2027")]


# -- the way back ----------------------------------------------------------------------------------------------


def left(*differences: dict[str, Any], **more: Any) -> Evidence:
    return evidence(schema={"differences": list(differences), "restored": False, **more})


@pytest.mark.parametrize(
    ("kind", "before", "after", "hazard"),
    [
        ("index", "CREATE INDEX i ON public.t (a)", None, "index-not-restored"),
        ("index", "CREATE INDEX i ON public.t (a)", "CREATE INDEX i ON public.t (b)", "index-not-restored"),
        ("index", None, "CREATE INDEX i ON public.t (a)", "left-behind"),
        ("constraint", "CHECK ((a > 0))", "CHECK ((a > 0)) NOT VALID", "constraint-not-restored"),
        ("column", "text", "integer", "column-type-not-restored"),
        ("column", "text", 'text COLLATE "C"', "column-type-not-restored"),
        ("column", "text NOT NULL", "text", "not-null-not-restored"),
        ("column", "text DEFAULT 'a'::text", "text DEFAULT 'b'::text", "default-not-restored"),
        ("column", "text", "text DEFAULT ''::text", "default-left-behind"),
        ("column", "integer DEFAULT nextval('public.s'::regclass)", "integer", "sequence-ownership-lost"),
        ("column", "integer GENERATED ALWAYS AS ((a * 2)) STORED", "integer", "generated-expression-not-restored"),
        ("column", "integer GENERATED ALWAYS AS IDENTITY ()", "integer", "schema-not-restored"),
        ("column", "text STORAGE EXTERNAL", "text", "schema-not-restored"),
        ("sequence", "SEQUENCE AS bigint OWNED BY public.t.a", "SEQUENCE AS bigint", "sequence-ownership-lost"),
        ("sequence", "SEQUENCE AS bigint", "SEQUENCE AS bigint INCREMENT BY 5", "schema-not-restored"),
        ("sequence", "SEQUENCE AS bigint", None, "schema-not-restored"),
        ("table", "TABLE ENABLE ROW LEVEL SECURITY", "TABLE", "policy-not-restored"),
        ("table", "TABLE", "UNLOGGED TABLE", "schema-not-restored"),
        ("view", "VIEW AS SELECT 1", None, "view-not-restored"),
        ("materialized view", None, "MATERIALIZED VIEW AS SELECT 1", "left-behind"),
        ("procedure", "a", "b", "function-not-restored"),
        ("rule", "a", None, "trigger-not-restored"),
        ("owner", None, "alice", "privileges-not-restored"),
        ("type", "ENUM ('a', 'b')", "ENUM ('a')", "schema-not-restored"),
        ("type", "ENUM ('a')", "ENUM ('a', 'b', 'c')", "enum-label-left-behind"),
        ("collation", "a", None, "schema-not-restored"),
    ],
)
def test_a_difference_is_told_by_one_rule(kind: str, before: str | None, after: str | None, hazard: str) -> None:
    assert {name for name, _ in found(left(change(kind, "public.t.a", before, after)))} == {hazard}


def test_a_column_that_differs_in_several_ways() -> None:
    given = left(change("column", "public.t.a", "text NOT NULL DEFAULT ''::text", "integer"))
    assert [name for name, _ in found(given)] == [
        "column-type-not-restored",
        "default-not-restored",
        "not-null-not-restored",
    ]


def test_parts_of_what_is_left_behind_go_without_saying() -> None:
    given = left(
        change("table", "public.t", None, "TABLE"),
        change("column", "public.t.a", None, "integer"),
        change("index", "public.i", None, "CREATE INDEX i ON public.t USING btree (a)"),
        change("constraint", "public.t.t_check", None, "CHECK ((a > 0))"),
        change("sequence", "public.s", None, "SEQUENCE AS bigint OWNED BY public.t.a"),
        change("comment", "column public.t.a", None, "what it is"),
        change("privilege", "table public.t", None, "SELECT TO PUBLIC"),
        change("column", "public.tt.a", None, "integer"),
    )
    assert found(given) == [("left-behind", "public.t"), ("left-behind", "public.tt.a")]


def test_a_table_that_is_missing_without_having_held_rows() -> None:
    missing = [change("table", "public.t", "TABLE", None), change("column", "public.t.a", "integer", None)]
    assert found(left(*missing, changes=missing)) == [("schema-not-restored", "public.t")]


@pytest.mark.parametrize(
    ("error", "hazard"),
    [
        ("P0001 somebody has wishes", "downgrade-fails-after-use"),
        ("23505 could not create unique index", "downgrade-meets-duplicates"),
        ('22P02 invalid input value for enum mood: "new"', "downgrade-meets-new-label"),
        ('22P02 invalid input syntax for type integer: "x"', "downgrade-fails-after-use"),
        ("timed out", "downgrade-fails-after-use"),
    ],
)
def test_a_downgrade_that_fails_only_after_use(error: str, hazard: str) -> None:
    assert found(evidence(lived_in_downgrade={"outcome": "failed", "error": error})) == [(hazard, "unsafe")]
    both = {"outcome": "failed", "error": error}
    assert hazard not in dict(found(evidence(downgrade=both, lived_in_downgrade=both)))


def test_a_downgrade_that_times_out_does_not_raise() -> None:
    assert found(evidence(downgrade={"outcome": "failed", "error": "timed out"})) == [("downgrade-fails", "unsafe")]


def test_the_second_upgrade_is_told_by_the_first_that_fails() -> None:
    again = {"outcome": "failed", "error": "42P07 relation exists"}
    assert found(evidence(reupgrade=again, lived_in_reupgrade={"outcome": "not-run"})) == [
        ("second-upgrade-fails", "unsafe")
    ]
    assert found(evidence(lived_in_reupgrade=again)) == [("second-upgrade-fails", "unsafe")]


# -- reading ---------------------------------------------------------------------------------------------------


def test_the_shape_of_a_statement() -> None:
    text = """
        alter  table "Odd ""name" -- a comment
        add x text /* another */ default E'it\\'s', y DATE default $a$x$a$, check(public . f(x)>0)
    """
    assert shape(text) == (
        """ALTER TABLE "Odd ""name" ADD X TEXT DEFAULT '' , Y DATE DEFAULT '' , CHECK ( PUBLIC.F ( X ) > 0 )"""
    )


@pytest.mark.parametrize(
    ("sql", "name", "named"),
    [
        ("UPDATE users SET a = 1", "public.users", True),
        ("UPDATE public.users SET a = 1", "public.users", True),
        ('UPDATE "users" SET a = 1', "public.users", True),
        ("UPDATE users_old SET users = 1", "public.users_old", True),
        ("UPDATE old_users SET a = 1", "public.users", False),
        ("UPDATE users_old SET a = 'users'", "public.users", False),
        ('UPDATE "Users" SET a = 1', "public.users", False),
        ('UPDATE "Users" SET a = 1', 'public."Users"', True),
    ],
)
def test_whom_a_statement_names(sql: str, name: str, named: bool) -> None:
    (statement,) = evidence(**upgrade({"sql": sql})).upgrade.statements or ()
    assert mentions(statement, name) is named


def test_the_parts_of_a_column() -> None:
    plain = column("timestamp(0) with time zone")
    assert (plain.type, plain.not_null, plain.default) == ("timestamp(0) with time zone", False, None)
    full = column(
        'character varying(9) COLLATE "C" CONSTRAINT "c d" NOT NULL DEFAULT \'NOT NULL\'::text STORAGE PLAIN INHERITED'
    )
    assert (full.type, full.collation, full.not_null) == ("character varying(9)", '"C"', True)
    assert (full.default, full.rest) == ("'NOT NULL'::text", " STORAGE PLAIN INHERITED")
    identity = column("bigint GENERATED BY DEFAULT AS IDENTITY (START WITH 5) NOT NULL")
    assert (identity.type, identity.identity, identity.not_null) == ("bigint", "BY DEFAULT", True)
    generated = column("numeric NOT NULL GENERATED ALWAYS AS ((a * (b + 1))) STORED")
    assert (generated.type, generated.generated, generated.default) == ("numeric", "(a * (b + 1))", None)


def test_the_labels_of_an_enum() -> None:
    assert labels("ENUM ('a', 'it''s, really', '')") == ("a", "it's, really", "")
    assert labels("AS (a integer)") is None


@pytest.mark.parametrize("text", ["a", 'a "b"', "it's", "both \" and '", 'ends with "', "a\\b", "a\nb", 'a"""b'])
def test_sql_as_a_literal_of_python(text: str) -> None:
    assert ast.literal_eval(python(text)) == text


# -- waivers ---------------------------------------------------------------------------------------------------

KNOWN = ("plain-index", "rows-deleted")


def test_waivers_are_comments() -> None:
    text = (
        '"""# backout: accept rows-deleted: this is prose"""\n'
        "# backout: accept plain-index: forty rows: no more\n"
        "def upgrade():\n"
        "    op.drop()  #backout:accept rows-deleted : nobody needs them\n"
        "    # backout: accept squawk:ban-char-field: always two letters\n"
        "    # about backout, and nothing else\n"
    )
    assert waivers(text, "a.py", KNOWN) == (
        Waiver("plain-index", "forty rows: no more", "a.py", 2),
        Waiver("rows-deleted", "nobody needs them", "a.py", 4),
        Waiver("squawk:ban-char-field", "always two letters", "a.py", 5),
    )
    assert waivers("# backout: accept plain-index: small\n", "a.py") == (Waiver("plain-index", "small", "a.py", 1),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = 1\n# backout: accept plain-index\n",
            (
                "a.py:2: the comment '# backout: accept plain-index' gives no reason; "
                "write # backout: accept HAZARD: REASON"
            ),
        ),
        (
            "# backout: accept plain-index:  \n",
            (
                "a.py:1: the comment '# backout: accept plain-index:' gives no reason; "
                "write # backout: accept HAZARD: REASON"
            ),
        ),
        (
            "# backout: ignore plain-index: small\n",
            (
                "a.py:1: the comment '# backout: ignore plain-index: small' is no waiver; "
                "write # backout: accept HAZARD: REASON"
            ),
        ),
        (
            "# backout: accept plane-index: small\n",
            "a.py:1: plane-index is no hazard of the catalogue; backout explain lists them, or remove the waiver",
        ),
        (
            "# backout: accept plain-index: small\n\n# backout: accept plain-index: tiny\n",
            "a.py:3: plain-index is accepted already in line 1; join the two reasons",
        ),
        (
            "# backout: accept squawk:ban-char-field:\n",
            (
                "a.py:1: the comment '# backout: accept squawk:ban-char-field:' gives no reason; "
                "write # backout: accept HAZARD: REASON"
            ),
        ),
        (
            "# backout: accept squawk: it is right\n",
            "a.py:1: squawk is no hazard of the catalogue; backout explain lists them, or remove the waiver",
        ),
        (
            "# backout: accept squawk:ban-drop-view: nobody reads it\n",
            (
                "a.py:1: squawk:ban-drop-view is never found, for backout measures it; "
                "accept the hazard that it finds instead: backout explain squawk:ban-drop-view names them"
            ),
        ),
        ("def f(:\n  (\n", "a.py is not Python: ('EOF in multi-line statement', (3, 0)); mend it"),
    ],
)
def test_malformed_waivers(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        waivers(text, "a.py", KNOWN)
    assert str(failure.value) == message


def test_findings_are_accepted() -> None:
    findings = (
        Finding("plain-index", "warning", "public.a", "A."),
        Finding("plain-index", "warning", "public.b", "B."),
        Finding("values-overwritten", "error", "public.a.c", "C."),
    )
    accepted = (Waiver("plain-index", "small", "a.py", 2), Waiver("rows-deleted", "nobody needs them", "a.py", 4))
    message = "a.py:4: rows-deleted is accepted, but the revision has none; remove the waiver"
    assert apply_waivers(findings, accepted) == (
        Finding("unused-waiver", "error", "a.py:4", message),
        replace(findings[0], waiver="small"),
        replace(findings[1], waiver="small"),
        findings[2],
    )
    assert apply_waivers(findings, ()) == findings
