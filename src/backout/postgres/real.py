"""A database that people use: where it is, how programs get there, and who may see its password (nobody).

Nothing here changes it. Whether it may be changed is asked and journalled by who does (``production``, ``operate``).

Below ``postgres``, which gives its names to everybody above.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from backout.errors import ConfigurationError
from backout.masking import masked
from backout.postgres import cluster
from backout.postgres.binaries import Binaries, client_binaries, major_of, require_supported
from backout.postgres.databases import CONNECT_SECONDS, Database, token_of, variables_of
from backout.postgres.urls import explained, keywords_of, url_of

# What a URL may say that is no part of where the database is.
_APART = ("application_name", "fallback_application_name", "connect_timeout", "passfile", "service")


@dataclass(frozen=True)
class RealDatabase:
    """A database that backout did not create, or that it treats as if.

    :param parameters: libpq's keywords, with a ``passfile`` of ours instead of a password.
    :param version: of the server, for instance ``18.6``.
    :param token: of a disposable database; empty for every other.
    :param binaries: client programs that suit the server; None: there are none on this machine.
    """

    parameters: dict[str, str]
    version: str
    token: str
    binaries: Binaries | None

    @property
    def name(self) -> str:
        """The database's."""
        return self.parameters["dbname"]

    @property
    def url(self) -> str:
        """For libpq, without a password."""
        return url_of(self.parameters)

    @property
    def major(self) -> int:
        """Of the server's version."""
        return major_of(self.version)

    @property
    def database(self) -> Database:
        """As the worker knows databases."""
        return Database(self.name, self.url, self.token)

    @property
    def description(self) -> str:
        """One line for people, without a password."""
        host, port = self.parameters.get("host", "localhost"), self.parameters.get("port", "5432")
        return f"the database {self.name} at {host}:{port} as {self.parameters['user']}, PostgreSQL {self.version}"

    def connect(self, purpose: str, **settings: str) -> psycopg.Connection[Any]:
        """A session of our own, in autocommit mode; without time-outs that the role or the database would set.

        :param purpose: shown in ``pg_stat_activity``: ``backout <purpose>``.
        :param settings: of the session, ``statement_timeout="5s"``.
        :raises PostgresError: it does not answer.
        """
        keywords: dict[str, Any] = {**self.parameters, "application_name": f"backout {purpose}"}
        if "passfile" in keywords:
            keywords["password"] = ""  # rather than PGPASSWORD's
        keywords["connect_timeout"] = CONNECT_SECONDS
        given = {"statement_timeout": "0", "lock_timeout": "0", "idle_session_timeout": "0", **settings}
        given.setdefault("idle_in_transaction_session_timeout", "0")
        with explained(f"could not connect to {self.description}"):
            connection = psycopg.connect(**keywords, autocommit=True, prepare_threshold=None)
            try:
                for name, value in given.items():
                    connection.execute("SELECT set_config(%s, %s, false)", [name, value])
            except BaseException:
                connection.close()
                raise
        return connection

    def environment(self, _database: Database | None = None) -> dict[str, str]:
        """Environment variables for a program that shall use this database; to be laid over ``os.environ``."""
        return variables_of(self.parameters, self.binaries)


@contextmanager
def real_database(url: str) -> Iterator[RealDatabase]:
    """Reach the database of a URL; libpq's variables and password file count as they do for ``psql``.

    :param url: libpq's form.
    :raises ConfigurationError: it cannot be read.
    :raises PostgresError: it does not answer, or is too old.
    """
    with ExitStack() as stack:
        parameters, version, token = reach(url, stack, inherit=True)
        yield RealDatabase(parameters, version, token or "", client_binaries(major_of(version)))


def reach(url: str, stack: ExitStack, *, inherit: bool = False) -> tuple[dict[str, str], str, str | None]:
    """Connect once, to see what is meant.

    :param stack: removes the password file, if one is needed.
    :param inherit: take over what libpq's variables and service file say besides.
    :return: libpq's keywords for everything that is to follow, ``dbname`` included, with a ``passfile`` instead of a
        password; the server's version; the token of a disposable database.
    :raises ConfigurationError: the URL cannot be read, or holds what cannot be passed on.
    """
    given = keywords_of(url)
    if "sslpassword" in given:
        raise ConfigurationError(
            f"the URL {masked(url)} has an sslpassword, which cannot be passed on unseen; use a key without one"
        )
    with explained(f"could not connect to {masked(url)}"):
        keywords: dict[str, Any] = {"connect_timeout": str(CONNECT_SECONDS), **given}
        if "dbname" not in given and "PGDATABASE" not in os.environ and "service" not in given:
            keywords["dbname"] = "postgres"
        with psycopg.connect(**keywords, autocommit=True) as connection:
            info = connection.info
            inherited = info.get_parameters() if inherit else {}
            if "PGSSLCERTMODE" not in os.environ:
                inherited.pop("sslcertmode", None)  # libpq tells it always
            parameters = {**inherited, **given}
            found = {"host": info.host, "port": str(info.port), "user": info.user, "dbname": info.dbname}
            password = info.password if inherit else given.get("password", "")
            row = connection.execute("SELECT split_part(current_setting('server_version'), ' ', 1)").fetchone()
            token = token_of(connection)
    version = str(row[0]) if row else ""
    require_supported(version, f"at {masked(url)}")
    parameters = {name: value for name, value in parameters.items() if name not in (*_APART, "password")}
    parameters |= {name: value for name, value in found.items() if value}
    if password:
        folder = cluster.run_folder(stack)
        parameters["passfile"] = str(cluster.passfile(folder, parameters, password))
    return parameters, version, token
