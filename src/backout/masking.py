"""Secrets: which they are, and text without them.

Everything that is shown to people or written to a journal goes through :meth:`Masking.hide`. A password in a URL is
hidden wherever one stands, known or not; other secrets must be known to be found.

Pure. Imports nothing of backout; everything may import it.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote, unquote

HIDDEN = "***"

# Variables that hold a secret by their name; libpq's two, and what people call theirs.
_ALWAYS = ("PGPASSWORD", "PGSSLPASSWORD")
_BY_NAME = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?", re.IGNORECASE)
_SHORT = 8  # characters; what is shorter is hidden only where it stands alone, or text would be full of holes
_TELLING = 6  # characters; shorter values of variables that are only called like secrets are flags and numbers

_URL = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/?#@'\"]*):(?P<password>[^\s'\"]*)@", re.IGNORECASE)
_KEYWORD = re.compile(r"(?i)\b((?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|[^&\s'\"]*)")


class Masking:
    """The secrets of a run.

    :param environment: its variables. Secrets are the passwords of URLs in them, ``PGPASSWORD``, the variables that
        are called like one, and those named.
    :param variables: names of variables, or patterns (``STRIPE_*``), whose values are secrets.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, variables: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        named = (*_ALWAYS, *variables)
        for name, value in (environment or {}).items():
            for found in _URL.finditer(value):
                self.add(unquote(found["password"]), found["password"])
            guessed = _BY_NAME.search(name) is not None and len(value) >= _TELLING
            if guessed or any(fnmatchcase(name, pattern) for pattern in named):
                self.add(value)

    def add(self, *secrets: str) -> None:
        """Hide these from now on, also as URLs, JSON, shells and SQL write them; of one of several lines, each line."""
        for secret in secrets:
            for part in {secret, *(line.strip() for line in secret.splitlines() if len(line.strip()) >= _SHORT)}:
                written = (part, quote(part, safe=""), quote(part), json.dumps(part)[1:-1], shlex.quote(part))
                self._forms |= {*written, part.replace("'", "''")}
        self._forms.discard("")
        self._forms.discard("''")  # an empty one, quoted for a shell
        self._pattern = None

    def hide(self, text: str) -> str:
        """The text without the secrets."""
        if self._pattern is None:
            ordered = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(_alone, ordered)) or r"(?!)")
        text = _KEYWORD.sub(rf"\1{HIDDEN}", _URL.sub(rf"\1:{HIDDEN}@", text))
        return self._pattern.sub(HIDDEN, text)

    def hide_in(self, value: Any) -> Any:
        """A JSON value without the secrets in its texts."""
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {self.hide(str(name)): self.hide_in(one) for name, one in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.hide_in(one) for one in value]
        return value

    def lines(self, write: Callable[[str], object]) -> "MaskedLines":
        """A stream that hands whole lines to ``write``, without the secrets."""
        return MaskedLines(self, write)


class MaskedLines:
    """Text that comes in pieces: a secret may be cut in two, so that only whole lines are passed on."""

    def __init__(self, masking: Masking, write: Callable[[str], object]) -> None:
        self._masking, self._write = masking, write
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take a piece; a carriage return ends a line, too."""
        *lines, self._rest = re.split(r"(?<=[\n\r])(?!(?<=\r)\n)", self._rest + text)
        for line in lines:
            self._write(self._masking.hide(line))

    def end(self) -> None:
        """Pass on what is left."""
        if self._rest:
            self._write(self._masking.hide(self._rest))
            self._rest = ""


def masked(text: str) -> str:
    """A URL or connection string, even a misspelt one, without its password."""
    text = re.sub(r"(://[^:/?#@]*):.*@", rf"\1:{HIDDEN}@", text)
    return _KEYWORD.sub(rf"\1{HIDDEN}", text)


def _alone(form: str) -> str:
    """A pattern of a secret; of a short one, where no letter or digit goes on."""
    if len(form) >= _SHORT:
        return re.escape(form)
    before = r"(?<!\w)" if form[0].isalnum() else ""
    after = r"(?!\w)" if form[-1].isalnum() else ""
    return f"{before}{re.escape(form)}{after}"
