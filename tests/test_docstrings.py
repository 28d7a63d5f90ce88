"""backout.docstrings: what a revision's docstring says of its dangers, and whether it is true."""

from dataclasses import replace

import pytest

from backout.docstrings import faults, lost_subjects, section
from backout.evidence import Compatibility, Evidence, Loss, Losses, Rollback, Schema, Step

NOT_RUN = Step("not-run")
PLAN = "Rollback plan:\n    Restore the backup.\n"


def measured(*losses: Loss, rollback: Rollback = "risky") -> Evidence:
    return Evidence(
        revision="r1",
        parents=(),
        path="alembic/versions/r1.py",
        summary="",
        fingerprint="",
        postgres=18,
        upgrade=NOT_RUN,
        downgrade=NOT_RUN,
        reupgrade=NOT_RUN,
        lived_in_downgrade=NOT_RUN,
        lived_in_reupgrade=NOT_RUN,
        schema=Schema(),
        loss=Losses(untouched=losses),
        compatibility=Compatibility(),
        seeded=None,
        unproven=(),
        assumptions=(),
        rollback=rollback,
    )


def lost(table: str, column: str | None) -> Loss:
    return Loss(table, column, 1, 2, ("a", None), (2, 1))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ()),
        ("Data loss: none\n", ()),
        ("Data loss:\nRollback plan:\n    None.\n", ()),
        ("Data loss:\n\n    users.email: its capitals.", ("users.email: its capitals.",)),
        (
            "    Data loss:\n        one\n        two\n    Rollback plan:\n        x\n",
            ("one", "two"),
        ),
        ("No data loss:\n    one\n", ()),
    ],
    ids=["nothing", "in the line", "empty", "to the end", "indented", "another section"],
)
def test_section(text: str, lines: tuple[str, ...]) -> None:
    assert section(text, "Data loss") == lines


def test_a_section_s_name_is_no_pattern() -> None:
    assert section("Data loss:\n    one\n", "D.ta loss") == ()


NAMED = "the docstring names {} under Data loss:, of which the rehearsal lost nothing; remove the line"
UNNAMED = "the docstring does not name {} under Data loss:, of which the rehearsal lost values; add a line"
PROSE = "the docstring says of data loss {!r}; write table.column: what is lost, or table: what is lost"
EMAIL, NOTES = lost("public.users", "email"), lost("archive.notes", None)


@pytest.mark.parametrize(
    ("document", "evidence", "said"),
    [
        ("", measured(rollback="yes"), ()),
        ("Data loss:\n    users.email: capitals\n    archive.notes: all\n" + PLAN, measured(EMAIL, NOTES), ()),
        (
            "",
            measured(EMAIL, NOTES),
            (
                "the docstring has no Data loss: section; the rehearsal lost archive.notes, users.email",
                (
                    "the docstring has no Rollback plan: section, and the rollback loses archive.notes, users.email; "
                    "say how to get back"
                ),
            ),
        ),
        (
            "",
            measured(rollback="no"),
            ("the docstring has no Rollback plan: section, and the rollback fails; say how to get back",),
        ),
        (
            "Data loss:\n    users.emial: capitals\n" + PLAN,
            measured(EMAIL),
            (
                NAMED.format("users.emial"),
                UNNAMED.format("users.email"),
            ),
        ),
        (
            "Data loss:\n    users.email: capitals\n" + PLAN,
            measured(rollback="yes"),
            (NAMED.format("users.email"),),
        ),
        (
            "Data loss:\n    Some of it.\n" + PLAN,
            measured(EMAIL),
            (PROSE.format("Some of it."),),
        ),
    ],
    ids=["harmless", "right", "nothing said", "no way back", "another column", "nothing lost", "prose"],
)
def test_faults(document: str, evidence: Evidence, said: tuple[str, ...]) -> None:
    assert faults(document, evidence) == said


def test_what_the_upgrade_removes_is_lost_where_no_downgrade_runs() -> None:
    evidence = replace(measured(), loss=Losses(upgrade=(EMAIL,)))
    assert lost_subjects(evidence) == ("users.email",)
