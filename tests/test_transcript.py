"""backout.transcript: what counts as the expected output, how a difference reads, what an update keeps."""

import itertools
import re

import pytest

from backout.transcript import difference, matches, updated

LONG = [f"line {number}" for number in range(2000)]


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("one\ntwo\n", "one\ntwo\n"),
        ("one\n", "one"),
        ("one\n", "one  \t\n\n\n"),
        ("one \n\n", "one\n"),
        ("", ""),
        ("", "\n \n"),
        ("\none\n", "\none\n"),
        ("...\n", ""),
        ("...\n", "one\ntwo\n"),
        ("one\n...\n", "one\n"),
        ("one\n...\nthree\n", "one\nthree\n"),
        ("one\n...\nthree\n", "one\ntwo\nthree\nthree\n"),
        ("...\none\n...\ntwo\n...\n", "x\none\none\ny\ntwo\nz\n"),
        ("  ...\none\n", "x\none\n"),
        ("took ... ms\n", "took 12.5 ms\n"),
        ("...passed in ...s\n", "3 passed in 0.1s\n"),
        ("... passed\n...\n... failed\n", "1 passed\nx\n2 passed\n3 failed\n"),
        ("a.b*c[d]\n", "a.b*c[d]\n"),
    ],
)
def test_matches(expected: str, printed: str) -> None:
    assert matches(expected, printed)
    assert difference(expected, printed, path="page.md", line=7) == ""
    assert updated(expected, printed).rstrip() == "\n".join(line.rstrip() for line in expected.splitlines()).rstrip()


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("one\n", "One\n"),
        ("one\n", "two\n"),
        ("one two\n", "one  two\n"),
        ("one\n", " one\n"),
        ("one\n", "\none\n"),
        ("one\ntwo\n", "two\none\n"),
        ("one\n", "one\none\n"),
        ("one\n", ""),
        ("", "one\n"),
        ("one\n...\n", "x\none\n"),
        ("...\none\n", "one\nx\n"),
        ("one\n...\none\n", "one\n"),
        ("took ... ms\n", "took 12\nms\n"),
        ("took ... ms\n", "took 12 s\n"),
        ("a.c\n", "abc\n"),
        ("one..two\n", "one and two\n"),
        ("one…\n", "one two\n"),
    ],
)
def test_does_not_match(expected: str, printed: str) -> None:
    assert not matches(expected, printed)
    assert difference(expected, printed, path="page.md", line=7) != ""
    assert matches(updated(expected, printed), printed)


def test_matching_is_what_a_regular_expression_says() -> None:
    """Every text of up to five lines against every expectation of up to four."""
    pieces = {"a": r"a\n", "b": r"b\n", "...": r"(?:.*\n)*", "a...": r"a.*\n"}
    for length in range(5):
        for want in itertools.product(pieces, repeat=length):
            pattern = re.compile("".join(pieces[piece] for piece in want))
            expected = "".join(line + "\n" for line in want)
            for count in range(6 if length < 4 else 4):
                for got in itertools.product("abc", repeat=count):
                    printed = "".join(line + "\n" for line in got)
                    assert matches(expected, printed) == (pattern.fullmatch(printed) is not None), (want, got)


def test_every_update_matches_what_was_printed() -> None:
    for want in itertools.product(["a", "b", "...", "a..."], repeat=3):
        expected = "".join(line + "\n" for line in want)
        for count in range(4):
            for got in itertools.product("abc", repeat=count):
                printed = "".join(line + "\n" for line in got)
                new = updated(expected, printed)
                assert matches(new, printed), (want, got, new)
                assert [line for line in want if line == "..."] == [line for line in new.splitlines() if line == "..."]


def test_a_difference() -> None:
    expected = "first\nsecond ...\n...\nlast\nend\n"
    printed = "first\nsecond line\n3\n4\nlast!\nend\n"
    assert difference(expected, printed, path="docs/page.md", line=12) == (
        "--- docs/page.md:12 (expected)\n+++ (printed)\n@@ -1,5 +1,5 @@\n first\n second ...\n ...\n-last\n+last!\n end"
    )


def test_a_difference_of_something_and_nothing() -> None:
    assert difference("one\n", "", path="p.md", line=3) == "--- p.md:3 (expected)\n+++ (printed)\n@@ -1 +0,0 @@\n-one"
    assert difference("", "one\n", path="p.md", line=3) == "--- p.md:3 (expected)\n+++ (printed)\n@@ -0,0 +1 @@\n+one"


@pytest.mark.parametrize(
    ("expected", "printed", "new"),
    [
        ("one\n", "two\n", "two\n"),
        ("one\n", "", ""),
        ("", "one\ntwo\n", "one\ntwo\n"),
        ("a\n...\nz\n", "a\n1\n2\ny\n", "a\n...\ny\n"),
        ("a\n...\nz\n", "b\n1\n2\nz\n", "b\n...\nz\n"),
        ("a\n...\nz\n", "a\n1\nz\nnew\n", "a\n...\nz\nnew\n"),
        ("took ... ms\n1 row\n", "took 3 ms\n2 rows\n", "took ... ms\n2 rows\n"),
        ("took ... ms\n", "took 3 s\n", "took 3 s\n"),
        ("...\n... passed in ...s\n", "x\n3 failed in 2.1s\n", "...\n3 failed in 2.1s\n"),
        ("head\n...\nmiddle\n...\nend\n", "head\n1\nnew\nmiddle\n2\nEnd\n", "head\n...\nmiddle\n...\nEnd\n"),
        ("a\nb\n", "a\nnew\nb\n", "a\nnew\nb\n"),
        ("a\nold\nb\n", "a\nb\n", "a\nb\n"),
        ("x \n", "y  \n\n", "y\n"),
    ],
)
def test_an_update_keeps_wildcards_that_still_match(expected: str, printed: str, new: str) -> None:
    assert updated(expected, printed) == new


def test_a_difference_of_much_text_is_not_made_small() -> None:
    expected, printed = "\n".join([*LONG, "..."]), "\n".join(["other", *LONG])
    assert updated(expected, printed) == printed + "\n"
