"""backout.matrix and blocking: what the tables must say, and that every cell which says else is named."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from backout.blocking import Blocking, blocking, worst
from backout.evidence import Evidence, Lock, Statement, Step
from backout.matrix import Table, check, has_tables, measured_tables, rewrite
from backout.matrix.kinds import load_kinds, read_evidence
from backout.matrix.rows import CLAIMS, Row, kind_tables, measured_rows, parted
from backout.rules import load_catalogue

KINDS = load_kinds()
EVIDENCE = read_evidence(KINDS)
ROWS = measured_rows(KINDS, EVIDENCE)
BY_TITLE = {row.title: row for row in ROWS}
TABLES = kind_tables(ROWS)
HEADERS = {table.name: table.header for table in TABLES}

SHORT = """\
<!-- measured: kinds -->
| Migration Type | Risk Level | Rollback Safe? | Notes |
|----------------|------------|----------------|-------|
| Add column | 🟢 Low | ✅ Yes | Safe if column empty |
| Remove column | 🔴 High | ❌ No | Data permanently lost |
| Modify column | 🟡 Medium | ⚠️ Risky | May fail if data doesn't fit |
| Add table | 🟢 Low | ✅ Yes | Safe if table empty |
| Remove table | 🔴 High | ❌ No | Data permanently lost |
| Data migration | 🔴 High | ⚠️ Risky | May lose transformations |
"""
LONG = rewrite("<!-- measured: all kinds -->\n", TABLES)
PAGE = f"# A page\n\n{SHORT}\n{LONG}"

RISKS = ("🟢 Low", "🟡 Medium", "🔴 High", "⚪ Unproven")
ROLLBACKS = ("✅ Yes", "✅ Yes, if unused", "⚠️ Risky", "❌ No", "❔ Unproven")
OTHERS = {
    "Risk Level": RISKS,
    "Risk": RISKS,
    "Rollback Safe?": tuple(one for one in ROLLBACKS if one != "✅ Yes, if unused"),
    "Rollback": ROLLBACKS,
    "Blocks": ("Nothing", "Writes for a moment", "Reads and writes during a rewrite", "Not measured"),
    "Deploy": ("Before", "After", "Either", "Split", "Not measured"),
}


def told(text: str, tables: tuple[Table, ...] = TABLES) -> list[str]:
    return [str(fault) for fault in check({"page.md": text}, tables)]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip()[1:-1].split(" | ")]


def table_rows() -> list[tuple[int, str, list[str]]]:
    """Line, table and cells of every row of the page."""
    found, name = [], ""
    for number, line in enumerate(PAGE.splitlines(), 1):
        if line.startswith("<!-- measured: "):
            name = line.removeprefix("<!-- measured: ").removesuffix(" -->")
        if line.startswith("| ") and tuple(cells(line)) != HEADERS[name]:
            found.append((number, name, cells(line)))
    return found


def with_note(title: str, note: str) -> tuple[str, int]:
    """The page with another note in the long table, and the line of its row."""
    line, _, row = next(one for one in table_rows() if one[1] == "all kinds" and one[2][0] == title)
    lines = PAGE.splitlines()
    lines[line - 1] = f"| {' | '.join([*row[:-1], note.strip()])} |"
    return "\n".join(lines) + "\n", line


# -- the tables are true, and no other ones are -----------------------------------------------------------------------


def test_the_seed_s_six_rows_are_what_was_measured() -> None:
    assert told(PAGE) == []
    assert rewrite(PAGE, TABLES) == PAGE


def test_every_page_of_the_repository_is_true() -> None:
    root = Path(__file__).parents[1]
    pages = {path.relative_to(root).as_posix(): path.read_text() for path in sorted((root / "docs").rglob("*.md"))}
    assert [str(fault) for fault in check(pages, measured_tables())] == []


def test_every_kind_has_its_row() -> None:
    assert [row[0] for _, name, row in table_rows() if name == "all kinds"] == [kind.title for kind in KINDS.values()]


@pytest.mark.parametrize(
    ("line", "table", "row"), [pytest.param(*one, id=f"{one[1]}-{one[2][0]}") for one in table_rows()]
)
def test_a_changed_cell_is_named(line: int, table: str, row: list[str]) -> None:
    """Every cell of risk, rollback, blocks and deploy, changed to every other value."""
    changed = 0
    for place, column in enumerate(HEADERS[table]):
        for other in OTHERS.get(column, ()):
            if other == row[place]:
                continue
            lines = PAGE.splitlines()
            lines[line - 1] = "| " + " | ".join([*row[:place], other, *row[place + 1 :]]) + " |"
            text = "\n".join(lines) + "\n"
            assert told(text) == [
                (
                    f"page.md:{line}: row {row[0]!r}, column {column!r} says {other!r}; measured was {row[place]!r}: "
                    "mend it, or run backout check --update"
                )
            ]
            assert rewrite(text, TABLES) == PAGE
            changed += 1
    assert changed >= (6 if table == "kinds" else 12)


@pytest.mark.parametrize("title", [row.title for row in ROWS if "Worse:" in row.note])
def test_a_variant_that_is_worse_must_be_named(title: str) -> None:
    note = BY_TITLE[title].note
    without, _, named = note.partition("Worse: ")
    _, *others = named.split("; ")
    shortened = f"{without}Worse: {'; '.join(others)}" if others else without.strip()
    text, line = with_note(title, BY_TITLE[title].words + " " + shortened)
    assert told(text) == [
        (
            f"page.md:{line}: row {title!r}, column 'Notes' says {shortened!r}; measured was {note!r}: "
            "mend it, or run backout check --update"
        )
    ]
    assert rewrite(text, TABLES) == PAGE


@pytest.mark.parametrize("title", [row.title for row in ROWS if row.short])
@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_must_hold(title: str, claim: str) -> None:
    true = next(line for line in SHORT.splitlines() if line.startswith(f"| {title} "))
    right = cells(true)[-1]
    if claim == right:
        return
    text = PAGE.replace(true, true.replace(right, claim), 1)
    line = PAGE.splitlines().index(true) + 1
    assert told(text) == [
        (
            f"page.md:{line}: row {title!r}, column 'Notes' claims {claim!r}; what was measured is otherwise: "
            f"{right!r}; mend it"
        )
    ]


def test_a_claim_that_nothing_can_decide() -> None:
    assert told(PAGE.replace("| Safe if table empty |", "| Nothing can happen |", 1)) == [
        (
            "page.md:9: row 'Add table', column 'Notes' claims 'Nothing can happen', which nothing can decide; "
            "known are 'Safe if column empty', 'Safe if table empty', 'Data permanently lost', "
            "\"May fail if data doesn't fit\", 'May lose transformations'"
        )
    ]


# -- words of one's own -----------------------------------------------------------------------------------------------


def test_words_of_one_s_own_stay() -> None:
    note = BY_TITLE["Change view"].note
    own, _ = with_note("Change view", f"Ask the analysts first. {note}")
    assert told(own) == []
    assert rewrite(own, TABLES) == own
    stale, line = with_note("Change view", f"Ask the analysts first. The downgrade fails. {note}")
    assert told(stale) == [
        (
            f"page.md:{line}: row 'Change view', column 'Notes' says {'The downgrade fails. ' + note!r}; "
            f"measured was {note!r}: mend it, or run backout check --update"
        )
    ]
    assert rewrite(stale, TABLES) == own


def test_a_claim_among_words_of_one_s_own_must_hold() -> None:
    note = BY_TITLE["Add column"].note
    assert told(with_note("Add column", f"Safe if column empty. {note}")[0]) == []
    text, line = with_note("Add column", f"Safe if table empty. {note}")
    assert told(text) == [
        (
            f"page.md:{line}: row 'Add column', column 'Notes' claims 'Safe if table empty.'; what was measured is "
            "otherwise: 'Safe if column empty'; mend it"
        )
    ]


@pytest.mark.parametrize(
    ("note", "parts"),
    [
        ("", ("", "")),
        ("Ask first.", ("Ask first.", "")),
        ("The downgrade fails. Worse: *x*: 🔴 High.", ("", "The downgrade fails. Worse: *x*: 🔴 High.")),
        ("Ask first. Worse: *x*: 🔴 High.", ("Ask first.", "Worse: *x*: 🔴 High.")),
        ("If the downgrade fails, ask.", ("If the downgrade fails, ask.", "")),
    ],
)
def test_the_parts_of_a_note(note: str, parts: tuple[str, str]) -> None:
    assert parted(note) == parts


# -- the form of the tables -------------------------------------------------------------------------------------------


def test_tables_are_written_where_there_are_none() -> None:
    page = "Short:\n\n<!-- measured: kinds -->\n\nLong:\n\n<!-- measured: all kinds -->\nEnd.\n"
    assert told(page) == [
        (
            "page.md:3: the table below 'measured: kinds' is missing; its columns are "
            "Migration Type | Risk Level | Rollback Safe? | Notes"
        ),
        (
            "page.md:7: the table below 'measured: all kinds' is missing; its columns are "
            "Migration type | Risk | Rollback | Blocks | Deploy | Notes"
        ),
    ]
    written = rewrite(page, TABLES)
    assert told(written) == []
    assert rewrite(written, TABLES) == written
    rule = "|----------------|------------|----------------|-------|\n"
    assert SHORT.replace(rule, "|---|---|---|---|\n").partition("\n")[2] in written
    assert written.startswith("Short:\n\n<!-- measured: kinds -->\n\n| Migration Type |")
    assert written.endswith(" |\nEnd.\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "<!-- measured: kinds -->",
            "<!-- measured: risks -->",
            "page.md:3: nothing is called 'risks' that could be measured; known are kinds, all kinds",
        ),
        (
            "| Migration Type | Risk Level |",
            "| Migration Type | Risk |",
            (
                "page.md:3: the table below 'measured: kinds' is headed Migration Type | Risk | Rollback Safe? | "
                "Notes; its columns are Migration Type | Risk Level | Rollback Safe? | Notes"
            ),
        ),
        (
            "| Add table | 🟢 Low | ✅ Yes | Safe if table empty |\n",
            "",
            "page.md:3: the row of 'Add table' is missing; write it, or run backout check --update",
        ),
        (
            "| Add table | 🟢 Low | ✅ Yes | Safe if table empty |\n",
            "| Add table | 🟢 Low | ✅ Yes | Safe if table empty |\n" * 2,
            "page.md:10: the kind 'Add table' stands here twice; keep one row",
        ),
        (
            "| Add table | 🟢 Low | ✅ Yes | Safe if table empty |\n",
            "| Add table | 🟢 Low | ✅ Yes | Safe if table empty |\n| Add view | 🟢 Low | ✅ Yes | |\n",
            (
                "page.md:10: the table of kinds has no kind 'Add view'; delete the row, or mend its name: "
                "the closest are Add table, Add column, Modify column"
            ),
        ),
        (
            "| Add table | 🟢 Low | ✅ Yes | Safe",
            "| Add table | 🟢 Low | ✅ Yes | now | Safe",
            "page.md:9: row 'Add table' has 5 cells, not 4; mend the row",
        ),
    ],
)
def test_a_table_that_is_not_as_it_must_be(old: str, new: str, message: str) -> None:
    assert old in PAGE
    assert told(PAGE.replace(old, new, 1)) == [message]


def test_a_missing_row_is_written_in_its_place() -> None:
    for line in LONG.splitlines(keepends=True)[4:]:
        assert rewrite(PAGE.replace(line, ""), TABLES) == PAGE


def test_without_the_long_table_nothing_names_what_is_worse() -> None:
    assert told(SHORT) == [
        (
            "page.md:1: no page has the table of all kinds, which names the variants that are worse than a row of this "
            "one; write <!-- measured: all kinds --> on a page, and run backout check --update"
        )
    ]
    assert check({"short.md": SHORT, "long.md": LONG}, TABLES) == ()
    assert told("No table.\n") == []


def test_what_is_shown_in_a_fence_is_no_table() -> None:
    shown = f"````markdown\n{SHORT.replace('🟢 Low', '🔴 High')}```text\n```\n````\n"
    assert told(shown) == []
    assert rewrite(shown, TABLES) == shown
    assert told(f"{shown}\n{PAGE}") == []


def test_a_pipe_in_a_cell_is_no_border() -> None:
    row = replace(BY_TITLE["Add view"], note="Worse: *a | b*: 🔴 High.", typical=())
    tables = kind_tables((row,))
    written = rewrite("<!-- measured: all kinds -->\n", tables)
    assert "*a \\| b*" in written
    assert told(written, tables) == []


# -- what a row says --------------------------------------------------------------------------------------------------


def changed(kind: str, variant: str, change: Callable[[Evidence], Evidence]) -> Row:
    """The row of a kind, had one of its variants been measured otherwise."""
    variants = {**EVIDENCE[kind], variant: tuple(map(change, EVIDENCE[kind][variant]))}
    return measured_rows({kind: KINDS[kind]}, {kind: variants})[0]


def test_whatever_is_worse_of_a_variant_is_named() -> None:
    held = Lock("public.customers", "AccessExclusiveLock", ("reads", "writes"), acquired=True)
    rewriting = Statement("ALTER TABLE …", locks=(held,), rewrites=("public.customers",), indexes=(), scans=())

    def worse(one: Evidence) -> Evidence:
        return replace(
            one,
            downgrade=Step("failed", error="XX000 no"),
            upgrade=replace(one.upgrade, statements=(rewriting,)),
            compatibility=replace(one.compatibility, order="split"),
        )

    row = changed("add-table", "enum", worse)
    what = "🔴 High, ❌ No, blocks reads and writes during a rewrite, split around the deploy"
    assert f"*with an enum type of its own*: {what}" in row.note
    same = BY_TITLE["Add table"]
    assert (row.risk, row.rollback, row.blocks, row.deploy) == (same.risk, same.rollback, same.blocks, same.deploy)


def test_what_was_not_measured_is_not_called_harmless() -> None:
    def blind(one: Evidence) -> Evidence:
        return replace(one, upgrade=replace(one.upgrade, statements=None), seeded=None, unproven=())

    row = changed("add-table", "enum", blind)
    assert "*with an enum type of its own*: ⚪ Unproven, ❔ Unproven, what it blocks was not measured" in row.note
    typical = changed("add-table", "plain", blind)
    assert (typical.risk, typical.rollback, typical.blocks) == ("⚪ Unproven", "❔ Unproven", "Not measured")
    assert typical.note.startswith("Not all could be measured.")


def test_of_several_revisions_the_worst_counts() -> None:
    row = BY_TITLE["Rename column"]
    assert len(EVIDENCE["rename-column"]["in_steps"]) == 3
    assert "*in steps*: ✅ Yes, if unused" in row.note
    last = changed("add-column", "not_null_in_steps", lambda one: replace(one, downgrade=Step("failed", error="no")))
    assert "*NOT NULL, in steps*: 🔴 High, ❌ No" in last.note


# -- the tables of hazards --------------------------------------------------------------------------------------------

ALL = measured_tables()
HAZARDS = tuple(table for table in ALL if table.name not in HEADERS)
BLANK = "".join(f"<!-- measured: {table.name} -->\n" for table in HAZARDS)
CATALOGUE_PAGE = rewrite(BLANK, ALL)
CATALOGUE_LINES = CATALOGUE_PAGE.splitlines(keepends=True)


def marker_of(table: Table) -> int:
    """The line of a table's comment on the page of hazards."""
    return 1 + CATALOGUE_LINES.index(f"<!-- measured: {table.name} -->\n")


def with_rows(table: Table, change: Callable[[int, str], str]) -> str:
    """The page of hazards with other rows, changed by their line and text."""
    first = marker_of(table) + 4  # behind an empty line, the header and its rule
    rows = range(first, first + len(table.lines))
    return "".join(change(line, text) if line in rows else text for line, text in enumerate(CATALOGUE_LINES, 1))


def test_the_tables_of_hazards_are_whole() -> None:
    assert told(CATALOGUE_PAGE, ALL) == []
    assert rewrite(CATALOGUE_PAGE, ALL) == CATALOGUE_PAGE
    assert [table.name for table in HAZARDS] == [
        "lock hazards",
        "compatibility hazards",
        "loss hazards",
        "round-trip hazards",
        "known hazards",
        "other hazards",
    ]
    titles = [line.title for table in HAZARDS[:4] for line in table.lines]
    assert sorted(titles) == sorted(load_catalogue())


def test_every_hazard_has_an_anchor() -> None:
    assert re.findall(r'<a id="([^"]+)"></a>`([^`]+)`', CATALOGUE_PAGE) == [
        (line.title, line.title) for table in HAZARDS[:4] for line in table.lines
    ]


NAMED = {"ids": lambda one: one.name if isinstance(one, Table) else ""}


@pytest.mark.parametrize("table", HAZARDS, **NAMED)
def test_a_changed_cell_of_a_hazard_is_named(table: Table) -> None:
    """Every cell of every row, the anchor in the first one among them."""
    for place, column in enumerate(table.header):
        if place == 0 and table.title is str:
            continue  # another title is another row
        faults = []

        def change(line: int, text: str, place: int = place, column: str = column, faults: list[str] = faults) -> str:
            row = cells(text)
            wrong = row[0].replace('id="', 'id="the-') if place == 0 else f"{row[place]}, they say"
            faults.append(
                f"page.md:{line}: row {table.title(row[0])!r}, column {column!r} says {wrong!r}; measured was "
                f"{row[place]!r}: mend it, or run backout check --update"
            )
            return f"| {' | '.join([*row[:place], wrong, *row[place + 1 :]])} |\n"

        text = with_rows(table, change)
        assert len(faults) == len(table.lines)
        assert told(text, ALL) == faults
        assert rewrite(text, ALL) == CATALOGUE_PAGE


@pytest.mark.parametrize("table", HAZARDS, **NAMED)
@pytest.mark.parametrize("which", [0, 1])
def test_a_missing_row_of_a_hazard_is_named(table: Table, which: int) -> None:
    text = with_rows(table, lambda line, text: text if line % 2 == which else "")
    start = marker_of(table)
    assert told(text, ALL) == [
        f"page.md:{start}: the row of {line.title!r} is missing; write it, or run backout check --update"
        for number, line in enumerate(table.lines, start + 4)
        if number % 2 != which
    ]
    assert rewrite(text, ALL) == CATALOGUE_PAGE


@pytest.mark.parametrize(
    ("table", "what"),
    [
        *((table, "has hazards that this one has not") for table in HAZARDS[:4]),
        (HAZARDS[4], "counts what the catalogue has"),
        (HAZARDS[5], "tells what the catalogue has not"),
    ],
    **NAMED,
)
def test_one_table_of_hazards_alone_is_not_the_catalogue(table: Table, what: str) -> None:
    rest = CATALOGUE_PAGE.replace(f"<!-- measured: {table.name} -->\n", "")
    first = 1 + next(place for place, line in enumerate(rest.splitlines()) if line.startswith("<!-- measured: "))
    assert told(rest, ALL) == [
        (
            f"page.md:{first}: no page has the table of {table.name}, which {what}; "
            f"write <!-- measured: {table.name} --> on a page, and run backout check --update"
        )
    ]


def test_a_hazard_in_the_wrong_table() -> None:
    locks, _, losses, *_ = HAZARDS
    index = CATALOGUE_LINES[marker_of(locks) + 3 + [line.title for line in locks.lines].index("plain-index")]
    last = marker_of(losses) + 3 + len(losses.lines)
    text = with_rows(losses, lambda line, text: text + index if line == last else text)
    assert told(text, ALL) == [
        (
            f"page.md:{last + 1}: the table of loss hazards has no hazard 'plain-index'; delete the row, or mend its "
            "name: the closest are partition-dropped, numeric-rounded, fractional-seconds-lost"
        )
    ]


def test_what_an_upgrade_that_fails_blocks_is_not_told() -> None:
    line = next(line for line in HAZARDS[0].lines if line.title == "required-column-without-default")
    assert line.cells[1] == "Rollback: ❔ Unproven<br>the upgrade fails"


def test_of_a_safer_way_in_steps_the_worst_is_told() -> None:
    line = next(line for line in HAZARDS[0].lines if line.title == "not-null-scans")
    assert line.cells == (
        '<a id="not-null-scans"></a>`not-null-scans`<br>SET NOT NULL that reads the whole table<br>*error*, A19',
        (
            "Rollback: ✅ Yes<br>may fail on the rows that are there<br>blocks reads and writes during a full scan<br>"
            "after the deploy"
        ),
        (
            "2 revisions<br>Rollback: ✅ Yes<br>blocks reads and writes for a moment<br>"
            "after the deploy, then before or after the deploy"
        ),
    )


def test_other_people_s_pages_need_no_tables() -> None:
    assert not has_tables("# A page\n\n| Hazard | Severity |\n|---|---|\n| plain-index | none |\n")
    assert told("# A page\n\n| Hazard | Severity |\n|---|---|\n| plain-index | none |\n", ALL) == []


# -- blocking ---------------------------------------------------------------------------------------------------------


def statement(*locks: tuple[str, tuple[str, ...]], **work: object) -> Statement:
    held = tuple(Lock(name, "a mode", blocks, acquired=True) for name, blocks in locks)  # type: ignore[arg-type]
    return Statement("…", locks=held, **work)  # type: ignore[arg-type]


def test_blocking_is_told_by_mode_and_work() -> None:
    both, writes = ("reads", "writes"), ("writes",)
    found = blocking(
        [
            statement(("public.a", both), ("public.b", writes), ("public.c", ())),
            statement(("public.a", both), rows_changed=3),
            statement(("public.b", writes), scans=("public.z",)),
            statement(("public.d", both), indexes=("public.d_idx",)),
            statement(("public.d", writes), rewrites=("public.d",), scans=("public.d",)),
        ]
    )
    assert found is not None
    assert {name: list(map(str, all_of_them)) for name, all_of_them in found.items()} == {
        "public.a": ["reads and writes while rows are changed"],
        "public.b": ["writes during a full scan"],
        "public.d": ["writes during a rewrite", "reads and writes during a full scan"],
    }


def test_what_could_not_be_observed_blocks_an_unknown_number() -> None:
    assert blocking(None) is None
    assert blocking([statement(), Statement("…")]) is None
    assert blocking([]) == {}


def test_the_worst_are_those_that_no_other_covers() -> None:
    writes_long, all_short, writes_short = Blocking(1, 2), Blocking(3, 0), Blocking(1, 0)
    assert worst([writes_short, all_short, writes_long]) == (writes_long, all_short)
    assert worst([]) == ()
