"""backout.seed.patterns: strings that PostgreSQL's own operators match."""

from collections.abc import Callable

import psycopg
import pytest

from backout.postgres import Database
from backout.seed.patterns import matching_like, matching_regex, matching_similar

Make = Callable[..., Database]

REGEXES = [
    r"^[A-F0-9]{64}$", r"^[[:alpha:]][[:alnum:]_-]{2,31}$", r"^\d{4}-\d{2}$", r"^(a|b)+\s?(x{2,})?$", r"\mfoo\M",
    r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", r"(?i)^ab$", r"^\+?[1-9]\d{1,14}$", r"^([a-z])\1$", r"a{3}|b{2,}|^$",
    r"^.{5}$",     r"^[a-z0-9]+(?:-[a-z0-9]+)*$", r"^[^\s]+$", r"^(?:25[0-5]|2[0-4]\d|1?\d?\d)(\.\d{1,3}){3}$",
    r"\Aabc\Z",
    r"^a\.b\\c$", r"^[]a]+$",
    r"^[\w.+-]{1,20}$", r"^\S+ \S+$", r"***:^x+$", r"^((ab){2}c?){1,3}$", r"^[[:upper:]]{2}[[:digit:]]{2}$", "^é+$",
    r"^\$\{[A-Z_]+\}$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", REGEXES)
def test_regular_expressions(disposable: Make, pattern: str) -> None:
    found = matching_regex(pattern, 12)
    assert found == matching_regex(pattern, 12)
    assert found
    assert len(set(found)) == len(found)
    with psycopg.connect(disposable().url) as connection:
        matched = connection.execute(
            "SELECT array_agg(x) FROM unnest(%s::text[]) x WHERE x ~ %s", [list(found), pattern]
        )
        assert matched.fetchone() == (list(found),)


def test_more_of_the_same_pattern() -> None:
    first, more = matching_regex(r"^[a-z]{3}-\d+$", 20), matching_regex(r"^[a-z]{3}-\d+$", 20, 20)
    assert len({*first, *more}) >= 36
    assert max(map(len, matching_regex(r"^x+$", 5))) == 200


@pytest.mark.parametrize("pattern", ["(", "a{2", "[z-a]", "*", "(?<name>"])
def test_what_cannot_be_read_gives_nothing(pattern: str) -> None:
    assert matching_regex(pattern, 5) in ((), ("a{2",))


@pytest.mark.parametrize("pattern", ["INV-%", "%@%.org", "a_c", r"100\%", r"\_x%", "plain", "%"])
def test_like(disposable: Make, pattern: str) -> None:
    found = list(matching_like(pattern))
    with psycopg.connect(disposable().url) as connection:
        matched = connection.execute("SELECT array_agg(x) FROM unnest(%s::text[]) x WHERE x LIKE %s", [found, pattern])
        assert matched.fetchone() == (found,)


@pytest.mark.parametrize("pattern", ["%(b|d)%", "[a-c]{2}_", "x+", "(ab)*"])
def test_similar_to(disposable: Make, pattern: str) -> None:
    found = list(matching_similar(pattern, 4))
    assert found
    with psycopg.connect(disposable().url) as connection:
        matched = connection.execute(
            "SELECT array_agg(x) FROM unnest(%s::text[]) x WHERE x SIMILAR TO %s", [found, pattern]
        )
        assert matched.fetchone() == (found,)
