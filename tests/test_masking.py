"""No secret survives, however it is written; what is no secret stays readable."""

import json
import shlex
from urllib.parse import quote

import pytest

from backout.masking import Masking, masked

AWKWARD = "p@ss/w:rd %'\"ä"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://crew:hunter2@db:5432/crew", "postgresql://crew:***@db:5432/crew"),
        ("see postgres://u:p@h/d and mail ann@example.org", "see postgres://u:***@h/d and mail ann@example.org"),
        ("postgresql+asyncpg://u:a@b@h/d", "postgresql+asyncpg://u:***@h/d"),
        ("url='postgresql://u:p@h/d'", "url='postgresql://u:***@h/d'"),
        ("postgresql://crew@db/crew?password=x1&sslmode=require", "postgresql://crew@db/crew?password=***&sslmode=require"),
        ("host=db password='a b\\'c' user=crew", "host=db password=*** user=crew"),
        ("https://example.org/a:b", "https://example.org/a:b"),
    ],
)  # fmt: skip
def test_a_password_in_a_url_is_hidden_though_nobody_knows_it(text: str, hidden: str) -> None:
    assert Masking().hide(text) == hidden


@pytest.mark.parametrize(
    "written",
    [AWKWARD, quote(AWKWARD, safe=""), quote(AWKWARD), json.dumps(AWKWARD), shlex.quote(AWKWARD), "'p@ss/w:rd %''\"ä'"],
)
def test_a_known_secret_is_hidden_as_others_write_it(written: str) -> None:
    masking = Masking({"DATABASE_URL": f"postgresql://crew:{quote(AWKWARD, safe='')}@db/crew"})
    shown = masking.hide(f"<{written}>")
    assert "***" in shown
    assert not any(piece in shown for piece in ("ss/w", "ss%2Fw", "rd "))


@pytest.mark.parametrize(
    ("variable", "secret"),
    [
        ("PGPASSWORD", True), ("DB_PASSWORD", True), ("STRIPE_API_KEY", True), ("GITHUB_TOKEN", True),
        ("CUSTOM_THING", False), ("LISTED", True), ("ALSO_LISTED_1", True),
    ],
)  # fmt: skip
def test_which_variables_hold_secrets(variable: str, secret: bool) -> None:
    masking = Masking({variable: "correct-horse"}, ["LISTED", "ALSO_*"])
    assert masking.hide("a correct-horse b") == ("a *** b" if secret else "a correct-horse b")


def test_a_flag_that_is_only_called_like_a_secret_is_none() -> None:
    assert Masking({"USE_TOKENS": "1", "PASSWORD_CHECK": "yes"}).hide("1 yes 11") == "1 yes 11"


def test_a_short_secret_is_hidden_where_it_stands_alone() -> None:
    masking = Masking({"PGPASSWORD": "crew"})
    assert masking.hide("crew crews crew@db 'crew'") == "*** crews ***@db '***'"


def test_a_secret_of_several_lines_is_hidden_line_by_line() -> None:
    masking = Masking({"PRIVATE_KEY": "-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----"})
    assert masking.hide("  abcdefghijkl\n") == "  ***\n"


def test_an_empty_secret_hides_nothing() -> None:
    assert Masking({"PGPASSWORD": ""}).hide("a '' b") == "a '' b"


def test_json_values_are_masked_names_included() -> None:
    masking = Masking({"PGPASSWORD": "hunter2-hunter2"})
    shown = masking.hide_in({"a hunter2-hunter2": ["hunter2-hunter2", 1, None, ("x",)]})
    assert shown == {"a ***": ["***", 1, None, ["x"]]}


def test_a_secret_that_comes_in_pieces_is_hidden() -> None:
    written: list[str] = []
    stream = Masking({"PGPASSWORD": "hunter2-hunter2"}).lines(written.append)
    for piece in ("one hunt", "er2-hun", "ter2 two\r\nthr", "ee\r50 %\r", "hunter2-", "hunter2"):
        stream.feed(piece)
    stream.end()
    assert written == ["one *** two\r\n", "three\r", "50 %\r", "***"]


@pytest.mark.parametrize(
    ("text", "hidden"),
    [("postgresql://u:p w@h/d", "postgresql://u:***@h/d"), ("host=h password = x", "host=h password = ***")],
)
def test_one_url_even_a_misspelt_one(text: str, hidden: str) -> None:
    assert masked(text) == hidden
