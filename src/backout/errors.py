"""The exceptions of backout.

::

    BackoutError                 exit code 1: something that was tried has failed
    ├── ConfigurationError       exit code 2: what was asked for, or a file, makes no sense
    │   └── PageError            a page breaks the page contract; names ``path:line``
    ├── Refused                  exit code 3: possible, but backout will not do it
    └── PostgresError            exit code 1: no server could be found, started or reached

Every message says what failed or was refused, what was observed, and what to do, and starts in
lower case. ``cli`` prints it after ``error: `` and exits with ``exit_code``.

Imports nothing of backout; everything may import it.
"""


class BackoutError(Exception):
    """Something that was tried has failed."""

    exit_code = 1


class ConfigurationError(BackoutError):
    """What was asked for, or a file of the project, makes no sense."""

    exit_code = 2


class PageError(ConfigurationError):
    """A page breaks the page contract.

    :param path: the page, relative to the project.
    :param line: the line of the offending text, counted from 1.
    """

    def __init__(self, path: str, line: int, message: str) -> None:
        super().__init__(f"{path}:{line}: {message}")
        self.path = path
        self.line = line
        self.message = message


class Refused(BackoutError):  # noqa: N818 - a refusal is an answer, not an error of ours
    """Possible, but backout will not do it."""

    exit_code = 3


class PostgresError(BackoutError):
    """No server could be found, started or reached."""
