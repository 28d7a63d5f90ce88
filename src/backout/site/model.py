"""What a generated page is, and how the templates are filled. Pure but for reading the package's templates."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PostgresLexer, PythonLexer

from backout.evidence import Evidence
from backout.site import words
from backout.site.timeline import PATTERNS, timeline


@dataclass(frozen=True)
class SitePage:
    """A page of the site.

    :param uri: as of a Markdown file below the site's pages: ``migrations/index.md``.
    :param html: with links to other pages as ``site:<uri>``.
    :param parent: uri of the page that it belongs below; None for one that stands in the navigation itself.
    :param previous: uri of the page before it.
    :param wide: it has no place for a table of contents at its side.
    :param measured: the evidence of each migration that it shows; None where there is none of its files as they stand.
    """

    uri: str
    title: str
    description: str
    html: str
    parent: str | None = None
    previous: str | None = None
    next: str | None = None
    wide: bool = False
    measured: tuple[Evidence | None, ...] = ()


def render(template: str, **values: Any) -> str:
    """A template with its values."""
    return _environment().get_template(template).render(numbers=_numbers(), **values)


@cache
def sql(text: str) -> Markup:
    """A statement as a coloured block."""
    return _coloured(textwrap.dedent(text.expandtabs(4)).strip(), PostgresLexer(stripnl=False))


@cache
def python(text: str) -> Markup:
    """Code as a coloured block."""
    return _coloured(text.strip(), PythonLexer(stripnl=False))


def functions(source: str) -> str:
    """A revision file from its first function or constant on, without what every one has."""
    return source[source.index("def upgrade") :] if "def upgrade" in source else source


def _coloured(text: str, lexer: Any) -> Markup:
    return Markup(highlight(text, lexer, HtmlFormatter(cssclass="highlight", wrapcode=True)))  # noqa: S704 - escaped by it


def _numbers() -> Callable[[], str]:
    """Ids for the pictures of a page, each another one."""
    count = iter(range(1, 1_000_000))
    return lambda: f"bo-{next(count)}"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        sql=sql, python=python, functions=functions, timeline=timeline, patterns=PATTERNS, words=words
    )
    return environment
