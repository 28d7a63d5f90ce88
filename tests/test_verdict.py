"""backout.verdict: every row of the table, what proves what where something is missing, and the team's matrix."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from backout.evidence import Evidence, Loss, SchemaChange
from backout.verdict import verdict

ROOT = Path(__file__).parents[1]

APPLIED = {"outcome": "applied", "fails_on_data": [], "statements": []}
CLEAN: dict[str, Any] = {
    "revision": "0a",
    "parents": ["09"],
    "path": "alembic/versions/0a.py",
    "summary": "a revision",
    "fingerprint": "f",
    "postgres": 18,
    **dict.fromkeys(("upgrade", "downgrade", "reupgrade", "lived_in_downgrade", "lived_in_reupgrade"), APPLIED),
    "schema": {"changes": [], "restored": True, "differences": [], "reupgrade_differences": [], "notes": []},
    "loss": {"upgrade": [], "untouched": [], "lived_in": []},
    "compatibility": {"previous_on_new": [], "next_on_old": [], "order": "either"},
    "seeded": {"tables": 1, "of": 1, "columns": 4, "of_columns": 4},
    "unproven": [],
    "assumptions": [],
}

FAILED = {"outcome": "failed", "error": "0A000 no"}
NOT_RUN = {"outcome": "not-run"}
UNSEEDED = [{"table": "public.maps", "reason": "the type box has no values"}]


def evidence(**given: Any) -> Evidence:
    """A revision of which all was measured and nothing is wrong, but for what is given; parts are merged."""
    merged = {
        name: {**CLEAN[name], **value} if isinstance(value, dict) and isinstance(CLEAN[name], dict) else value
        for name, value in given.items()
    }
    return msgspec.convert({**CLEAN, **merged}, Evidence)


def change(kind: str, name: str, before: str | None, after: str | None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "before": before, "after": after}


def loss(name: str, lost: int, of: int, distinct: tuple[int, int] = (6, 6)) -> dict[str, Any]:
    """``public.users.email`` is a column, ``public.users`` whole rows."""
    table, column = name.rsplit(".", 1) if name.count(".") == 2 else (name, None)
    return {
        "table": table, "column": column, "lost": lost, "of": of, "example": ["a", None], "distinct": list(distinct),
    }  # fmt: skip


BIO_DROPPED = {"changes": [change("column", "public.users.bio", "text", None)]}
BIO_ADDED = {"changes": [change("column", "public.users.bio", None, "text")]}
USERS_DROPPED = {"changes": [change("table", "public.users", "TABLE", None)]}
EMPTY = {"table": "public.users", "column": "bio", "reason": "no value fits its check"}
LOGS_DROPPED = {"changes": [change("table", "public.logs", "TABLE", None)]}
LOGS_ADDED = {"changes": [change("table", "public.logs", None, "TABLE")]}
INDEX_LEFT = {"restored": False, "differences": [change("index", "public.i", None, "CREATE INDEX i")]}


def test_nothing_is_wrong() -> None:
    assert verdict(evidence()) == ("low", "yes")


def test_a_revision_without_effect_was_measured_too() -> None:
    nothing = {"outcome": "no-op"}
    steps = ("upgrade", "downgrade", "reupgrade", "lived_in_downgrade", "lived_in_reupgrade")
    assert verdict(
        evidence(**dict.fromkeys(steps, nothing), seeded={"tables": 0, "of": 0, "columns": 0, "of_columns": 0})
    ) == ("low", "yes")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"schema": BIO_ADDED, "loss": {"lived_in": [loss("public.users.bio", 6, 6)]}}, id="column"),
        pytest.param({"schema": LOGS_ADDED, "loss": {"lived_in": [loss("public.logs", 6, 6)]}}, id="table"),
        pytest.param(
            {"schema": LOGS_ADDED, "loss": {"lived_in": [loss("public.logs.text", 6, 6)]}}, id="column-of-table"
        ),
        pytest.param({"schema": BIO_ADDED, "loss": {"lived_in": [loss("public.users.bio", 1, 6)]}}, id="one-value"),
    ],
)
def test_only_what_was_added_is_lost(given: dict[str, Any]) -> None:
    assert verdict(evidence(**given)) == ("low", "yes if unused")


@pytest.mark.parametrize(
    ("given", "risk"),
    [
        pytest.param({"loss": {"untouched": [loss("public.users.email", 3, 6)]}}, "high", id="values-lost"),
        pytest.param({"loss": {"untouched": [loss("public.users", 1, 6)]}}, "high", id="rows-lost"),
        pytest.param(
            {"schema": BIO_DROPPED, "loss": {"untouched": [loss("public.users.bio", 3, 6, (6, 3))]}},
            "high",
            id="dropped-column-comes-back-in-part",
        ),
        pytest.param(
            {"schema": BIO_DROPPED, "loss": {"untouched": [loss("public.users.bio", 6, 6, (1, 1))]}},
            "high",
            id="one-constant-where-one-value-was",
        ),
        pytest.param(
            {"schema": LOGS_DROPPED, "loss": {"untouched": [loss("public.logs", 3, 6)]}},
            "high",
            id="dropped-table-comes-back-in-part",
        ),
        pytest.param(
            {"loss": {"untouched": [loss("public.users.email", 6, 6, (6, 0))]}},
            "high",
            id="emptied-but-never-removed",
        ),
        pytest.param({"schema": INDEX_LEFT}, "medium", id="schema-not-restored"),
        pytest.param({"reupgrade": FAILED}, "medium", id="second-upgrade-fails"),
        pytest.param(
            {"schema": {"reupgrade_differences": [change("index", "public.i", "CREATE INDEX i", None)]}},
            "medium",
            id="second-upgrade-gives-another-schema",
        ),
        pytest.param({"lived_in_downgrade": FAILED}, "medium", id="lived-in-downgrade-fails"),
        pytest.param({"lived_in_reupgrade": FAILED}, "medium", id="lived-in-upgrade-fails"),
        pytest.param(
            {"schema": BIO_ADDED, "loss": {"lived_in": [loss("public.users.email", 1, 6)]}},
            "medium",
            id="lived-in-loss-outside-of-what-was-added",
        ),
        pytest.param(
            {"schema": BIO_ADDED, "loss": {"lived_in": [loss("public.users", 1, 6)]}},
            "medium",
            id="lived-in-rows-of-an-old-table",
        ),
        pytest.param(
            {
                "schema": {"changes": [change("index", "public.users.email", None, "CREATE INDEX")]},
                "loss": {"lived_in": [loss("public.users.email", 1, 6)]},
            },
            "medium",
            id="an-added-index-adds-no-column",
        ),
        pytest.param(
            {"schema": INDEX_LEFT, "loss": {"untouched": [loss("public.users.email", 3, 6)]}}, "high", id="both"
        ),
    ],
)
def test_risky(given: dict[str, Any], risk: str) -> None:
    assert verdict(evidence(**given)) == (risk, "risky")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"downgrade": FAILED}, id="downgrade-fails"),
        pytest.param({"downgrade": {"outcome": "failed", "error": "NotImplementedError: "}}, id="downgrade-raises"),
        pytest.param(
            {"schema": BIO_DROPPED, "loss": {"untouched": [loss("public.users.bio", 6, 6, (6, 0))]}}, id="empty-column"
        ),
        pytest.param(
            {"schema": BIO_DROPPED, "loss": {"untouched": [loss("public.users.bio", 5, 6, (6, 1))]}}, id="constant"
        ),
        pytest.param({"schema": LOGS_DROPPED, "loss": {"untouched": [loss("public.logs", 6, 6)]}}, id="empty-table"),
        pytest.param(
            {"schema": LOGS_DROPPED, "loss": {"untouched": [loss("public.logs.text", 6, 6, (6, 0))]}},
            id="column-of-empty-table",
        ),
        pytest.param({"downgrade": FAILED, "schema": INDEX_LEFT}, id="worse-than-risky"),
    ],
)
def test_no(given: dict[str, Any]) -> None:
    assert verdict(evidence(**given)) == ("high", "no")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"upgrade": FAILED, "downgrade": NOT_RUN, "reupgrade": NOT_RUN}, id="upgrade-fails"),
        *(
            pytest.param({step: NOT_RUN}, id=step)
            for step in ("upgrade", "downgrade", "reupgrade", "lived_in_downgrade", "lived_in_reupgrade")
        ),
        *(
            pytest.param({"schema": {fact: None}}, id=fact)
            for fact in ("changes", "restored", "differences", "reupgrade_differences")
        ),
        *(pytest.param({"loss": {fact: None}}, id=fact) for fact in ("untouched", "lived_in")),
        pytest.param({"seeded": None}, id="nobody-seeded"),
        pytest.param({"seeded": {"tables": 1, "of": 2}}, id="one-of-two-seeded"),
        pytest.param({"unproven": UNSEEDED}, id="unproven"),
        pytest.param({"seeded": {"unfilled": [EMPTY]}, "schema": BIO_DROPPED}, id="a-dropped-column-had-no-values"),
        pytest.param({"seeded": {"unfilled": [EMPTY]}, "schema": USERS_DROPPED}, id="a-dropped-table-lacked-values"),
        pytest.param(
            {"unproven": UNSEEDED, "schema": BIO_ADDED, "loss": {"lived_in": [loss("public.users.bio", 6, 6)]}},
            id="yes-if-unused-proves-nothing-worse",
        ),
    ],
)
def test_unproven(given: dict[str, Any]) -> None:
    assert verdict(evidence(**given)) == ("unproven", "unproven")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"downgrade": FAILED, "reupgrade": NOT_RUN, "lived_in_downgrade": NOT_RUN}, ("high", "no")),
        (
            {"schema": BIO_DROPPED, "loss": {"untouched": [loss("public.users.bio", 6, 6, (6, 0))], "lived_in": None}},
            ("high", "no"),
        ),
        ({"loss": {"untouched": [loss("public.users.email", 3, 6)], "lived_in": None}}, ("high", "risky")),
        (
            {"lived_in_downgrade": FAILED, "lived_in_reupgrade": NOT_RUN, "loss": {"lived_in": None}},
            ("medium", "risky"),
        ),
        ({"schema": INDEX_LEFT}, ("medium", "risky")),
    ],
)
def test_what_is_proved_stays_proved_where_something_is_missing(
    given: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert verdict(evidence(unproven=UNSEEDED, **given)) == expected


def test_a_column_without_values_matters_only_where_it_is_changed() -> None:
    assert verdict(evidence(seeded={"unfilled": [EMPTY]}, schema=LOGS_ADDED)) == ("low", "yes")


def test_rows_of_a_new_partition_are_lost_in_the_partitioned_table() -> None:
    added = {"changes": [change("table", "public.logs_2027", None, "TABLE PARTITION OF public.logs FOR VALUES IN (1)")]}
    assert verdict(evidence(schema=added, loss={"lived_in": [loss("public.logs", 2, 9)]})) == ("low", "yes if unused")
    assert verdict(evidence(schema=added, loss={"lived_in": [loss("public.logs.text", 2, 9)]})) == ("medium", "risky")
    assert verdict(evidence(schema=added, loss={"lived_in": [loss("public.log", 2, 9)]})) == ("medium", "risky")


def test_it_looks_at_nothing_else() -> None:
    """Locks, compatibility, notes and what the upgrade alone removes make no verdict."""
    one = evidence(
        compatibility={"order": "split", "previous_on_new": [{"statement": "SELECT public.users", "error": "42703"}]},
        schema={"notes": ["column order of public.users"]},
        loss={"upgrade": [loss("public.users.bio", 6, 6, (6, 0))]},
        risk="high",
        rollback="no",
    )
    assert verdict(one) == ("low", "yes")


def test_quoted_names() -> None:
    odd = SchemaChange("column", 'public."Odd.Table"."a.b"', None, "text")
    lost = Loss('public."Odd.Table"', '"a.b"', 1, 2, ("x", None), (2, 1))
    clean = evidence()
    given = replace(clean, schema=replace(clean.schema, changes=(odd,)), loss=replace(clean.loss, lived_in=(lost,)))
    assert verdict(given) == ("low", "yes if unused")


# What a rehearsal measures of one migration of each kind.
KINDS = {
    "Add column": {"schema": BIO_ADDED, "loss": {"lived_in": [loss("public.users.bio", 6, 6, (6, 0))]}},
    "Remove column": {
        "schema": BIO_DROPPED,
        "loss": {
            "upgrade": [loss("public.users.bio", 6, 6, (6, 0))],
            "untouched": [loss("public.users.bio", 6, 6, (6, 0))],
        },
    },
    "Modify column": {
        "schema": {"changes": [change("column", "public.users.name", "varchar(60)", "varchar(120)")]},
        "lived_in_downgrade": {"outcome": "failed", "error": "22001 value too long for type character varying(60)"},
        "lived_in_reupgrade": NOT_RUN,
        "loss": {"lived_in": None},
    },
    "Add table": {"schema": LOGS_ADDED, "loss": {"lived_in": [loss("public.logs", 6, 6)]}},
    "Remove table": {"schema": LOGS_DROPPED, "loss": {"untouched": [loss("public.logs", 6, 6)]}},
    "Data migration": {"loss": {"untouched": [loss("public.users.email", 3, 6)]}},
}
CELLS = {
    "🟢 Low": "low", "🟡 Medium": "medium", "🔴 High": "high",
    "✅ Yes": "yes if unused", "⚠️ Risky": "risky", "❌ No": "no",
}  # fmt: skip


def test_the_matrix_of_the_team() -> None:
    """In the matrix *yes if unused* reads "Yes", and the note says the condition."""
    page = (ROOT / "docs/migration-rollback.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z]\w+ \w+) \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE)
    matrix = {kind: (CELLS[risk], CELLS[rollback]) for kind, risk, rollback in rows if kind in KINDS}
    assert {kind: verdict(evidence(**given)) for kind, given in KINDS.items()} == matrix
