"""Which database a backup is of, so that one of another is never taken for it.

A copy of a server's disk has its system identifier, and the same databases under the same OIDs. So the address counts,
too: a backup counts where the database is reached as it was when the backup was taken.

Only the package and those who use its names import it.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from backout.postgres import RealDatabase


@dataclass(frozen=True)
class Identity:
    """A database.

    :param name: of the database, unquoted.
    :param oid: another after it was dropped and created anew.
    :param system: the server's system identifier (manual, ``pg_control_system``); None where it may not be read.
    :param host: as libpq knows it, a socket's folder included.
    """

    name: str
    oid: int
    system: str | None
    host: str
    port: str

    def __str__(self) -> str:
        system = f", system identifier {self.system}" if self.system else ""
        return f"{self.name} at {self.host}:{self.port} (OID {self.oid}{system})"

    def is_other_than(self, other: "Identity") -> bool:
        """Whether these are two databases; a system identifier counts where both are known."""
        systems = {self.system, other.system} - {None}
        here = (self.name, self.oid, self.host, self.port)
        return len(systems) > 1 or here != (other.name, other.oid, other.host, other.port)


def identity_of(database: RealDatabase) -> Identity:
    """Ask the database who it is.

    :raises PostgresError: it does not answer.
    """
    with database.connect("backup") as connection:
        return read_identity(connection, database)


def read_identity(connection: psycopg.Connection[Any], database: RealDatabase) -> Identity:
    """Likewise, on a connection to it, in its transaction if there is one."""
    row = connection.execute(
        "SELECT datname, oid::bigint, has_function_privilege('pg_control_system()', 'EXECUTE') "
        "FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    assert row is not None
    name, oid, readable = row
    host, port = database.parameters.get("host", "localhost"), database.parameters.get("port", "5432")
    return Identity(name, oid, _system(connection) if readable else None, host, port)


def _system(connection: psycopg.Connection[Any]) -> str | None:
    """The system identifier; some services refuse it to everybody, whatever the privileges say."""
    try:
        with connection.transaction():
            row = connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return None
    return str(row[0]) if row else None
