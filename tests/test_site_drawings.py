"""What the pictures and words of the site's pages are made of, from evidence made up for each case."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from backout.blocking import Blocking
from backout.evidence import (
    Compatibility,
    Evidence,
    Lock,
    Loss,
    Losses,
    Schema,
    SchemaChange,
    Statement,
    Step,
    fold,
)  # fmt: skip
from backout.revisions import Revision
from backout.site import Heading, headings, linked
from backout.site.chain_picture import chain_picture
from backout.site.difference import difference
from backout.site.entities import entities, entities_picture
from backout.site.measured import Measured, judged
from backout.site.migration_pages import address, document
from backout.site.timeline import Bar, bars, timeline
from backout.site.words import inline, mode, told_lost, value, weight, who


def lock(relation: str, mode: str = "AccessExclusiveLock", *, acquired: bool = True) -> Lock:
    blocks: Mapping[str, Any] = {"AccessExclusiveLock": ("reads", "writes"), "ShareLock": ("writes",)}
    return Lock(relation, mode, blocks.get(mode, ()), acquired)


def seen(sql: str, *locks: Lock, **more: Any) -> Statement:
    return Statement(sql, locks, **{"rewrites": (), "indexes": (), "scans": (), **more})


def step(*statements: Statement, transactional: bool | None = True) -> Step:
    return Step("applied", transactional=transactional, statements=statements)


def drawn(*statements: Statement, transactional: bool | None = True) -> list[list[Bar]]:
    return list(bars(step(*statements, transactional=transactional)))


# -- the time line ----------------------------------------------------------------------------------------------------


def test_a_lock_is_held_to_the_end_of_the_transaction() -> None:
    users = seen("ALTER TABLE users …", lock("public.users"))
    jobs = seen("CREATE INDEX …", lock("public.users", acquired=False), lock("public.jobs", "ShareLock"))
    assert drawn(users, jobs, seen("SELECT 1", lock("public.users", acquired=False))) == [
        [Bar(0, 2, "high", "users: reads and writes wait (ACCESS EXCLUSIVE)")],
        [Bar(1, 2, "medium", "jobs: writes wait (SHARE)")],
        [],
    ]


def test_outside_a_transaction_it_is_held_as_long_as_it_was_seen() -> None:
    first = seen("LOCK …", lock("public.users"))
    held = seen("UPDATE …", lock("public.users", acquired=False), rows_changed=7)
    free = seen("SELECT 1")
    assert drawn(first, held, free, transactional=False) == [
        [Bar(0, 1, "high", "users: reads and writes wait (ACCESS EXCLUSIVE)")],
        [Bar(1, 1, "work", "changes 7 of the rehearsal's rows")],
        [],
    ]
    assert drawn(first, Statement("DO $$ … $$"), transactional=None)[0][0].last == 0


def test_what_was_not_seen_is_drawn_as_that() -> None:
    assert drawn(Statement("DO $$ … $$")) == [
        [
            Bar(0, 0, "unmeasured", "locks not seen"),
            Bar(0, 0, "unmeasured", "rewrites not seen"),
            Bar(0, 0, "unmeasured", "scans not seen"),
            Bar(0, 0, "unmeasured", "indexes not seen"),
        ]
    ]


def test_work_that_grows_with_the_table_is_marked() -> None:
    one = seen(
        "ALTER TABLE …",
        lock("public.users"),
        lock("public.users", "ShareLock"),
        lock("public.jobs", "RowExclusiveLock"),
        rewrites=("public.users",),
        scans=("public.users", "audit.log"),
        indexes=("public.ix",),
    )
    assert drawn(one) == [
        [
            Bar(0, 0, "high", "users: reads and writes wait (ACCESS EXCLUSIVE)"),
            Bar(0, 0, "low", "jobs: only other DDL waits (ROW EXCLUSIVE)"),
            Bar(0, 0, "work", "writes every row of users anew"),
            Bar(0, 0, "work", "reads all of audit.log"),
            Bar(0, 0, "work", "builds ix"),
        ]
    ]


def test_the_time_line_tells_in_words_what_it_draws() -> None:
    picture = BeautifulSoup(
        timeline(
            step(
                seen("ALTER TABLE users ADD <b>", lock("public.users")),
                seen("SELECT 1", lock("public.users", acquired=False)),
                seen("CREATE TABLE t ()"),
                transactional=True,
            ),
            "Upgrade",
            "bo-7",
        ),
        "html.parser",
    )
    svg = picture.svg
    assert svg is not None
    assert svg["role"] == "img"
    assert svg["aria-labelledby"] == "bo-7-t bo-7-d"
    assert svg.select_one("#bo-7-t").get_text() == "Upgrade: who waits, statement by statement"  # type: ignore[union-attr]
    assert svg.select_one("#bo-7-d").get_text() == (  # type: ignore[union-attr]
        "1. ALTER TABLE users ADD <b>: users: reads and writes wait (ACCESS EXCLUSIVE), until after statement 3. "
        "2. SELECT 1: takes no new lock; what is held stays held. "
        "3. CREATE TABLE t (): locks nothing that was there before."
    )
    assert [one.get_text() for one in svg.select(".bo-label")] == [
        "users: reads and writes wait (ACCESS EXCLUSIVE)",
        "takes no new lock; what is held stays held",
        "locks nothing that was there before",
    ]
    assert [one.get_text() for one in svg.select(".bo-axis")] == ["1", "2", "3", "commit"]
    ends = timeline(step(seen("SELECT 1"), transactional=False), "Upgrade", "n")
    assert ">end</text>" in ends
    assert ">commit</text>" not in ends


# -- the chain --------------------------------------------------------------------------------------------------------


def measured(name: str, *parents: str, children: Sequence[str] = (), needs: Sequence[str] = ()) -> Measured:
    revision = Revision(name, parents, tuple(needs), (), Path(f"{name}.py"), f"what {name} does", "")
    return Measured(revision, f"{name}.py", "missing", None, None, (), (), tuple(children), (), {}, "")


def test_branches_run_in_lanes_of_their_own() -> None:
    chain = [
        measured("a", children=("b", "c", "d")),
        measured("b", "a", children=("e",)),
        measured("c", "a", children=("e",)),
        measured("d", "a", children=("e",)),
        measured("e", "b", "c", "d"),
    ]
    picture = BeautifulSoup(chain_picture(chain, {one.id: f"#{one.id}" for one in chain}), "html.parser")
    lanes = {str(link["href"]): link.svg["x"] for link in picture.find_all("a")}  # type: ignore[index]
    assert lanes == {"#e": "6", "#d": "50", "#c": "28", "#b": "6", "#a": "6"}
    assert len(picture.select(".bo-edges path")) == 6 + 1
    assert picture.desc.get_text() == "5 revisions; head: e. Branches begin after a. Merged by e."  # type: ignore[union-attr]


def test_an_empty_chain_has_a_picture() -> None:
    assert "0 revisions; head: ." in chain_picture([], {})


# -- the schema -------------------------------------------------------------------------------------------------------

SHOP = (
    SchemaChange("table", "public.users", None, "TABLE"),
    SchemaChange("column", "public.users.id", None, "bigint NOT NULL"),
    SchemaChange("column", "public.users.boss", None, "bigint"),
    SchemaChange("column", "public.users.mail", None, "character varying(320) NOT NULL"),
    SchemaChange("constraint", "public.users.pk", None, "PRIMARY KEY (id)"),
    SchemaChange("constraint", "public.users.uq", None, "UNIQUE (mail)"),
    SchemaChange("constraint", "public.users.fk", None, "FOREIGN KEY (boss) REFERENCES public.users(id)"),
    SchemaChange("index", "public.ix", None, "CREATE INDEX ix ON public.users USING btree (mail)"),
    SchemaChange("comment", "column public.users.mail", None, "where to write to"),
    SchemaChange("table", 'crm."Or<der>"', None, "TABLE PARTITION BY RANGE (at)"),
    SchemaChange("column", 'crm."Or<der>".at', None, "date NOT NULL"),
    SchemaChange("column", 'crm."Or<der>"."user"', None, "bigint"),
    SchemaChange("constraint", 'crm."Or<der>".fk', None, 'FOREIGN KEY ("user") REFERENCES public.users(id)'),
    SchemaChange("table", "crm.y25", None, "TABLE PARTITION OF crm.\"Or<der>\" FOR VALUES FROM ('2025-01-01')"),
    SchemaChange("type", "public.mood", None, "ENUM ('sad')"),
)


def test_a_difference_shows_a_table_as_it_was_and_as_it_is() -> None:
    before = fold([SHOP])
    changes = (
        SchemaChange("column", "public.users.mail", "character varying(320) NOT NULL", "text NOT NULL"),
        SchemaChange("index", "public.ix", "CREATE INDEX ix ON public.users USING btree (mail)", None),
        SchemaChange("type", "public.mood", "ENUM ('sad')", "ENUM ('sad', 'glad')"),
        SchemaChange("table", "public.t", None, "TABLE"),
    )
    groups = difference(changes, before)
    assert [(group.name, group.state, group.unchanged) for group in groups] == [
        ("public.t", "created", 0),
        ("public.users", "changed", 4),
        ("", "changed", 0),
    ]
    assert [f"{line.sign} {line.text}" for group in groups for line in group.lines] == [
        "+ TABLE t",
        "  boss  bigint",
        "  id  bigint NOT NULL",
        "- mail  character varying(320) NOT NULL",
        "+ mail  text NOT NULL",
        "- CREATE INDEX ix ON public.users USING btree (mail)",
        "- TYPE mood ENUM ('sad')",
        "+ TYPE mood ENUM ('sad', 'glad')",
    ]


def test_tables_and_their_references_are_drawn() -> None:
    tables = entities(fold([SHOP]))
    assert [(one.name, one.partitions) for one in tables] == [('crm."Or<der>"', 1), ("public.users", 0)]
    assert [(one.name, one.type, one.required, one.keys) for one in tables[1].columns] == [
        ("id", "bigint", True, ("PK",)),
        ("boss", "bigint", False, ("FK",)),
        ("mail", "varchar(320)", True, ("UQ",)),
    ]
    picture = BeautifulSoup(entities_picture(tables, "#"), "html.parser")
    assert [one.get_text() for one in picture.select(".bo-relations title")] == [
        'crm."Or<der>" ("user") refers to users',
        "users (boss) refers to users",
    ]
    assert [(one["x"], one["width"]) for one in picture.select("rect.bo-box")] == [("12", "216"), ("302", "216")]


def test_a_large_schema_is_drawn_with_its_keys_only() -> None:
    changes = [
        change
        for number in range(41)
        for change in (
            SchemaChange("table", f"public.t{number}", None, "TABLE"),
            SchemaChange("column", f"public.t{number}.id", None, "bigint NOT NULL"),
            SchemaChange("column", f"public.t{number}.text", None, "text"),
            SchemaChange("constraint", f"public.t{number}.pk", None, "PRIMARY KEY (id)"),
        )
    ]
    picture = BeautifulSoup(entities_picture(entities(fold([changes])), "#"), "html.parser")
    assert {one.get_text() for one in picture.select(".bo-column")} == {"id"}
    assert len([one for one in picture.select(".bo-type") if one.get_text() == "and 1 more columns"]) == 41


# -- words ------------------------------------------------------------------------------------------------------------

NOTHING = Step("applied")
EVIDENCE = Evidence(
    "r", (), "r.py", "", "", 18, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING,
    Schema((SchemaChange("column", "public.users.new", None, "text"),)), Losses((), (), ()), Compatibility(), None,
    (), (),
)  # fmt: skip


def loss(table: str, column: str | None, lost: int = 2) -> Loss:
    return Loss(table, column, lost, 3, ("a", None), (2, 1))


@pytest.mark.parametrize(
    ("losses", "failed", "told"),
    [
        (Losses((), (), ()), None, []),
        (Losses(), None, None),
        (Losses((), (), None), None, None),
        (Losses((), (), None), "lived_in_downgrade", ["After use the downgrade fails"]),
        (Losses((), None, None), "downgrade", ["The downgrade fails"]),
        (
            Losses((), (loss("public.users", "bio"),), None),
            None,
            ["2 of 3 values of users.bio", "The rest was not measured"],
        ),
        (
            Losses((), (loss("public.users", "bio"),), (loss("public.users", "bio"), loss("crm.o", None, 1))),
            None,
            ["2 of 3 values of users.bio", "1 of 3 rows of crm.o, once used"],
        ),
        (Losses((), (), (loss("public.users", "new"),)), None, ["What is written into what it adds"]),
    ],
)
def test_what_a_rollback_costs(losses: Losses, failed: str | None, told: list[str] | None) -> None:
    evidence = replace(EVIDENCE, loss=losses)
    if failed:
        evidence = replace(evidence, **{failed: Step("failed", "22001 too long")})
    assert told_lost(evidence) == told


def test_who_is_blocked_is_told_and_weighed() -> None:
    nothing: tuple[Blocking, ...] = ()
    moment, rewrite = (Blocking(3, 0),), (Blocking(1, 3),)
    assert [who(one) for one in (None, nothing, moment, rewrite)] == [
        "not measured", "nothing", "reads and writes", "writes",
    ]  # fmt: skip
    assert [weight(one) for one in (None, nothing, moment, rewrite, (Blocking(3, 2),))] == [
        None, "low", "moment", "medium", "high",
    ]  # fmt: skip
    assert mode("ShareUpdateExclusiveLock") == "SHARE UPDATE EXCLUSIVE"


def test_what_people_wrote_is_escaped() -> None:
    assert inline("a `<b>` of <i>") == "a <code>&lt;b&gt;</code> of &lt;i&gt;"
    assert value("<b>\n") == '<code class="bo-value">&lt;b&gt;⏎</code>'
    assert value(None) == '<em class="bo-null">NULL</em>'


def test_a_docstring_is_read_by_its_sections() -> None:
    text = """drop users.bio

About it, in
two lines.

Why:
    Nobody reads it.

    Really.
Data loss:
    users.bio: every value
    users.cv: every value

Revision ID: a1
Revises: b2
Create Date: 2025-01-14 09:32:00
"""
    assert list(document(text)) == [
        (None, ["About it, in two lines."]),
        ("Why", ["Nobody reads it.", "Really."]),
        ("Data loss", ["users.bio: every value\nusers.cv: every value"]),
    ]
    assert list(document("only a title")) == []


def test_a_revision_may_be_called_like_a_page() -> None:
    assert [address(name) for name in ("a1", "schema", "index", "a/b c")] == [
        "migrations/a1.md", "migrations/revision-schema.md", "migrations/revision-index.md", "migrations/a-b-c.md",
    ]  # fmt: skip


def test_verdicts_follow_from_facts_whatever_the_file_says() -> None:
    lost = replace(EVIDENCE, loss=Losses((), (loss("public.users", "bio"),), ()), risk="low", rollback="yes")
    assert (judged(lost).risk, judged(lost).rollback) == ("high", "risky")


def test_headings_and_links_of_a_page() -> None:
    page = (
        '<h1 id="top">T</h1><h2 id="a">A &amp; <code>b</code><a class="headerlink" href="#a" aria-label="x">¶</a></h2>'
        '<a href="site:risk/index.md?risk=high#top">r</a>'
    )
    assert list(headings(page)) == [Heading(2, "a", "A & b")]
    assert linked(page, {"risk/index.md": "../risk/"}).endswith('<a href="../risk/?risk=high#top">r</a>')
    with pytest.raises(KeyError):
        linked('"site:gone.md"', {})
