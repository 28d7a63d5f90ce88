"""Connection URLs, read, written and shown without their passwords, and PostgreSQL's errors in our words.

Not here: connecting.

Below ``postgres.databases`` and ``postgres``, which alone import it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo

from backout.errors import ConfigurationError, PostgresError
from backout.masking import masked

ADVICE: Mapping[type[psycopg.Error], str] = {
    psycopg.errors.InsufficientPrivilege: "use a role that may (ALTER ROLE … CREATEDB for creating databases)",
    psycopg.errors.ObjectInUse: "end those sessions first",
    psycopg.errors.InvalidCatalogName: "name a database that exists",
    psycopg.OperationalError: "see that the server runs, and that it lets you in",
}


def keywords_of(url: str) -> dict[str, str]:
    """libpq's connection keywords (manual, "Parameter Key Words") in a URL.

    :raises ConfigurationError: it cannot be read; without its password.
    """
    try:
        return {name: str(value) for name, value in conninfo.conninfo_to_dict(url).items()}
    except psycopg.Error:  # whose message may quote the password
        raise ConfigurationError(
            f"the URL {masked(url)} cannot be read; write postgresql://user@host:port/database, "
            "with special characters percent-encoded (manual, section Connection URIs)"
        ) from None


def url_of(keywords: Mapping[str, str]) -> str:
    """libpq's form, which SQLAlchemy reads alike: what does not fit before the ``?`` comes after it."""
    rest = {name: value for name, value in keywords.items() if name not in ("user", "dbname", "host", "port")}
    host, port = keywords.get("host", ""), keywords.get("port", "")
    if re.fullmatch(r"[\w.-]+", host):
        place = f"{host}:{port}"
    elif re.fullmatch(r"[0-9A-Fa-f:.]+", host):
        place = f"[{host}]:{port}"
    else:
        place = ""
        rest = {"host": host, "port": port, **rest}
    query = urlencode({name: value for name, value in rest.items() if value}, quote_via=quote, safe="/")
    user, dbname = quote(keywords.get("user", ""), safe=""), quote(keywords.get("dbname", ""), safe="")
    return f"postgresql://{user}@{place}/{dbname}" + (f"?{query}" if query else "")


@contextmanager
def explained(failure: str) -> Iterator[None]:
    """Say what failed in the project's words, and what to do."""
    try:
        yield
    except psycopg.Error as error:
        advice = next((text for kind, text in ADVICE.items() if isinstance(error, kind)), "mend what PostgreSQL says")
        raise PostgresError(f"{failure}: {said(error)}; {advice}") from error


def said(error: psycopg.Error) -> str:
    """What PostgreSQL or libpq says, without passwords."""
    detail = f" ({error.diag.message_detail})" if error.diag.message_detail else ""
    return masked(error.diag.message_primary or str(error).strip()) + detail
