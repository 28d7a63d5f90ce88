"""backout.pages.runbook: the shape of a runbook, and how one that has another is described."""

from pathlib import Path

import pytest

from backout.pages import ChecklistItem, Page, parse_page, read_page

SAMPLES = Path(__file__).parent / "samples" / "runbooks"
TEXT = (SAMPLES / "count-up.md").read_text()
SHAPE = (
    "it has, in this order,\n    ## When {#when}\n    ## Before you start {#before}\n    ## Steps {#steps}\n"
    "    ## Verify {#verify}\n    ## If it fails {#if-it-fails}\n    ## Afterwards {#afterwards}"
)


def told(text: str) -> list[str]:
    return [str(problem) for problem in parse_page(text, "x.md").problems]


def at(line: str, text: str = TEXT) -> int:
    """The number of the first line that starts so."""
    return next(number for number, one in enumerate(text.splitlines(), 1) if one.startswith(line))


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


@pytest.mark.parametrize("name", ["count-up.md", "unlock.md"])
def test_the_samples_keep_the_contract(name: str) -> None:
    assert [str(problem) for problem in read_page(SAMPLES / name, SAMPLES).problems] == []


def test_what_a_runbook_holds() -> None:
    page: Page = parse_page(TEXT, "x.md")
    runbook = page.runbook
    assert runbook is not None
    assert (runbook.when, runbook.who, runbook.environments) == (
        "the table of numbers is empty", "anybody", ("staging", "production"),
    )  # fmt: skip
    assert (runbook.minutes, runbook.needs, runbook.destroys) == (1.0, ("DATABASE_URL", "psql"), "the number 1")
    assert (runbook.incident, runbook.examples, page.title) == ("incidents/numbers.sh", {}, "Count up")
    assert [(one.anchor, one.number, [block.id for block in one.blocks]) for one in runbook.sections] == [
        ("when", None, ["when.1"]), ("before", None, ["before.1"]), ("steps", None, []),
        ("one", 1, ["one.1", "one.2"]), ("two", 2, ["two.1", "two.2"]), ("forget", 3, ["forget.1", "forget.2"]),
        ("verify", None, ["verify.1"]), ("if-it-fails", None, []), ("afterwards", None, []),
    ]  # fmt: skip
    one, two, forget = runbook.steps
    first, check = one.blocks
    assert (first.prose, first.changes, first.destroys) == ("The first number.", "a row of the table numbers", None)
    assert (first.is_changing, first.is_check, check.is_changing, check.is_check) == (True, False, False, True)
    assert (check.until, one.way_back and one.way_back.id, one.no_way_back) == ("forget", "one.way-back", None)
    assert (forget.way_back, forget.no_way_back) == (None, "what is forgotten is forgotten")
    assert one.way_back not in page.runnable
    assert [type(entry) is ChecklistItem for entry in runbook.section("before").entries] == [False, True]
    assert runbook.section("if-it-fails").text == "Go on with [another page](other.md#where)."
    assert runbook.section_of(two.blocks[1]) is two


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("  who: anybody\n", "", "runbook:", "who is missing; add it"),
        ("  who: anybody", "  who:", "  who:", "who takes a text, not None"),
        ("  who: anybody", "  who: anybody\n  whom: nobody", "  whom:", (
            "unknown key 'whom'; known are when, who, environments, minutes, needs, destroys, incident, examples"
        )),
        ("[staging, production]", "[]", "  environments:", (
            "environments takes a list of names, [staging, production], not []"
        )),
        ("[staging, production]", "staging", "  environments:", (
            "environments takes a list of names, [staging, production], not 'staging'"
        )),
        ("minutes: 1", "minutes: 0", "  minutes:", "minutes takes a number of minutes, not 0"),
        ("minutes: 1", "minutes: yes", "  minutes:", "minutes takes a number of minutes, not True"),
        ("[DATABASE_URL, psql]", "[a b]", "  needs:", (
            "needs takes a list of variables and programs, [DATABASE_URL, pg_dump], not ['a b']"
        )),
        ("incidents/numbers.sh", "../x.sh", "  incident:", (
            "incident takes the path of a bash script of the project, x/y.sh, not '../x.sh'"
        )),
        ("  who: anybody", "  who: anybody\n  examples: {X: a}", "  examples:", (
            "examples gives X, which is no variable of needs"
        )),
        ("  destroys: the number 1", "  destroys: nothing", "  destroys:", (
            "destroys nothing, and the block forget.1 destroys 'the number 1'; say so"
        )),
        ("<!-- destroys: the number 1 -->", "<!-- changes: the number 1 -->", "  destroys:", (
            "destroys 'the number 1', and no block does; say nothing, or <!-- destroys: … --> above the block"
        )),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense(old: str, new: str, line: str, problem: str) -> None:
    text = changed(old, new)
    assert f"x.md:{at(line, text)}: front matter runbook: {problem}" in told(text)


def test_no_table() -> None:
    text = changed(TEXT[TEXT.index("  when:") : TEXT.index("---\n# Count")], "  - when\n")
    assert told(text)[0] == (
        "x.md:4: front matter runbook: takes a table of when, who, environments, minutes, needs, destroys"
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("## Verify {#verify}", "## Check {#verify}", "## Check", (
            f"a runbook has here the heading ## Verify {{#verify}}, not 'Check'; {SHAPE}"
        )),
        ("## Verify {#verify}", "## Verify", "## Verify", (
            f"a runbook has here the heading ## Verify {{#verify}}, not 'Verify'; {SHAPE}"
        )),
        ("## Afterwards {#afterwards}\n\nTell the team.\n", "", None, f"a runbook lacks ## Afterwards; {SHAPE}"),
        ("Tell the team.\n", "## More {#more}\n", "## More", f"a runbook has no further heading; {SHAPE}"),
        ("### 2. Add two {#two}", "### 3. Add two {#two}", "### 3. Add", (
            "a step of a runbook is here ### 2. Title {#anchor}"
        )),
        ("### 2. Add two {#two}", "### 2. Add two", "### 2.", "a step of a runbook is here ### 2. Title {#anchor}"),
        ("### 2. Add two {#two}", "### 2. Add two {#before}", "### 2.", (
            "the anchor before_1 is taken; give the step another"
        )),
        ("There are no numbers.\n\n", "There are no numbers.\n\n<!-- changes: x -->\n", "```bash", (
            "When only looks; move what changes something into a step"
        )),
        ("Go on with", "```bash\ntrue\n```\nGo on with", "```bash\ntrue", (
            "If it fails has prose and links, and no block that is run"
        )),
        ("## Steps {#steps}\n", "## Steps {#steps}\n\n```bash\ntrue\n```\n", "```bash\ntrue", (
            "a block of a runbook's Steps stands in a step, ### 1. Title {#anchor}"
        )),
        ("## Verify {#verify}\n", "## Verify {#verify}\n\n```bash\ntrue\n```\n", "```bash\ntrue", (
            "Verify holds checks: put this block below a checklist item, - [ ] …"
        )),
        ("<!-- way back -->\n```sql\nDELETE FROM numbers WHERE n = 1;\n```\n", "", "```sql\nINSERT", (
            "a step that changes something has a way back: a block behind <!-- way back -->, or <!-- no way back: "
            "reason -->"
        )),
        ("<!-- changes: a row of the table numbers -->\n```sql", "```sql", "### 1.", (
            "this step changes nothing, so that nothing leads back; say what it changes, <!-- changes: what, and where "
            "-->, or remove the way back"
        )),
        ("<!-- no way back: what is forgotten is forgotten -->", "<!-- no way back: -->", "<!-- no way", (
            "no way back: takes the reason why nothing undoes the step"
        )),
        ("### 2. Add two {#two}\n", "### 2. Add two {#two}\n\n<!-- no way back: x -->\n", "<!-- no way", (
            "the step has a way back already, or a reason why not; keep one"
        )),
        ("<!-- until: forget -->", "<!-- until: one -->", "<!-- until", (
            "until: takes the anchor of a later step, not 'one'"
        )),
        ("<!-- until: forget -->", "<!-- until: -->", "<!-- until", "until: takes the anchor of a later step"),
        ("<!-- until: forget -->", "<!-- changes: x -->", "<!-- changes: x", (
            "the block one.2 changes something and has a sabotage; a check only reads"
        )),
        ("<!-- destroys: the number 1 -->", "<!-- destroys: -->", "<!-- destroys", "destroys: takes what, and where"),
        ("The first number.", "<!-- not run: why not -->\n```bash\ntrue\n```", "```bash\ntrue", (
            "a runbook has no block that is not run: the operator's run would pass it by"
        )),
        ("# Count up\n", "# Count up\n\n```bash\ntrue\n```\n", "```bash\ntrue", (
            "this block stands above ## When; move it into a section"
        )),
    ],
)  # fmt: skip
def test_a_shape_that_is_another(old: str, new: str, line: str | None, problem: str) -> None:
    text = changed(old, new)
    problems = told(text)
    (found,) = [one for one in problems if one.split(": ", 1)[1] == problem] or [None]
    assert found is not None, problems
    number = int(found.split(":")[1])
    if line is not None and not line.startswith("<!-- "):
        first, _, second = line.partition("\n")
        assert text.splitlines()[number - 1].startswith(first)
        assert "".join(text.splitlines()[number : number + 1]).startswith(second)


def test_a_change_without_a_check() -> None:
    start, end = TEXT.index("<!-- until: forget -->"), TEXT.index("<!-- way back -->")
    assert told(TEXT[:start] + TEXT[end:]) == [
        (
            f"x.md:{at('```sql')}: a step that changes something has a check: a block with a sabotage, "
            "or with output that it must print"
        )
    ]


def test_a_variable_that_nobody_explains() -> None:
    """Whoever reads that it is not set must find out what it is."""
    text = changed("[DATABASE_URL, psql]", "[DATABASE_URL, psql, THIS]")
    problem = "front matter runbook: needs THIS, and the page does not say what it is: name it there, `THIS`"
    assert told(text) == [f"x.md:{at('  needs:', text)}: {problem}"]
    assert told(text + "\nBy `THIS`.\n") == []


def test_an_incident_without_a_symptom() -> None:
    start, end = TEXT.index("```bash"), TEXT.index("## Before")
    text = TEXT[:start] + TEXT[end:]
    problem = "a runbook with an incident shows its symptom under When, in a block that is run"
    assert told(text) == [f"x.md:{at('## When', text)}: {problem}"]


def test_a_page_that_is_no_runbook_has_none_of_it() -> None:
    text = (
        "<!-- changes: x -->\n```bash\ntrue\n```\n\n<!-- no way back: y -->\n\n<!-- way back -->\n```bash\ntrue\n```\n"
    )
    problem = "changes, destroys, until and ways back belong in a runbook; this page's front matter has no runbook:"
    assert told(text) == [f"x.md:{line}: {problem}" for line in (2, 6, 9)]


def test_a_way_back_takes_no_sabotage() -> None:
    back = "<!-- way back -->\n```sql\nDELETE FROM numbers WHERE n = 1;\n```\n"
    problems = told(changed(back, back + "<!-- sabotage: true -->\n"))
    assert [one.split(": ", 1)[1] for one in problems] == [
        "this sabotage follows no block that is run; put it right behind its check"
    ]
