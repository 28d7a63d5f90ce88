"""Where a project's database is, as its settings say it: options of the configuration, variables of the environment.

In each the disposable database takes the place of the project's own; also in variables that the project's code sets
itself, from a file ``.env`` for instance, so that the programs which it starts find the disposable one.

Not here: connections (``worker.connections``), which arrive there whatever the settings say.

Part of ``worker.child``, which loads it by its path: standard library and SQLAlchemy only, Python 3.8 or later.
"""
# ruff: noqa: PLC0415 - what the project has installed is imported when a project is there

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

NO_SUCH_HOST = "backout.invalid"  # RFC 6761: resolves nowhere
DATABASE_URL = re.compile(r"(postgres(?:ql)?(?:\+\w+)?)://", re.IGNORECASE)


class Settings:
    """The settings of a project.

    :param config: Alembic's.
    :param installed: drivers.
    :param options: option of the section → template.
    :param environment: variable → template.
    :param schemes: variable that held a URL before this process began → how that began.
    :param leads: whether a variable of libpq's says where, as whom and how safely to connect.
    """

    def __init__(
        self,
        config: Any,
        installed: list[str],
        options: dict[str, str],
        environment: dict[str, str],
        schemes: dict[str, str],
        leads: Callable[[str], bool],
    ) -> None:
        self._config, self._installed, self._options = config, installed, options
        self._environment, self._schemes, self._leads = environment, schemes, leads
        self._scheme = _scheme(config)
        self._given = {name: value for name, value in os.environ.items() if leads(name)}
        self._place: Place

    def lead(self, parameters: dict[str, str]) -> None:
        """Name this database from now on.

        :param parameters: libpq's keywords.
        """
        self._place = place = Place(parameters, self._installed)
        self._given["PGDATABASE"] = parameters["dbname"]
        for variable, scheme in {**self._schemes, "DATABASE_URL": self._scheme}.items():
            os.environ[variable] = place.url(place.usable(scheme))
        self.lead_variables()
        url = place.url(place.usable(self._scheme))
        self._config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
        for option, template in self._options.items():
            self._config.set_main_option(option, place.fill(template, self._scheme).replace("%", "%%"))

    def lead_variables(self) -> None:
        """Name it in every variable again: the project's code may have set some meanwhile."""
        place = self._place
        for name, value in dict(os.environ).items():
            found = DATABASE_URL.match(value)
            if found:
                os.environ[name] = place.url(place.usable(found[1].lower()))
            elif self._leads(name) and name not in self._given:
                del os.environ[name]
        os.environ.update(self._given)
        for name, template in self._environment.items():
            os.environ[name] = place.fill(template, self._scheme)


class Place:
    """How the disposable database is written in other people's settings.

    :param installed: drivers.
    """

    def __init__(self, parameters: dict[str, str], installed: list[str]) -> None:
        import sqlalchemy

        host = parameters.get("host", "localhost")
        self._directory = host if host.startswith("/") else ""
        self._values = {
            "host": NO_SUCH_HOST if self._directory else host,
            "port": parameters.get("port", "5432"),
            "user": parameters.get("user", "postgres"),
            "database": parameters["dbname"],
        }
        version = [int(part) for part in re.findall(r"\d+", sqlalchemy.__version__)]
        self._meant = "psycopg" if version >= [2, 1] else "psycopg2"  # by postgresql://
        self._installed = installed

    def url(self, scheme: str) -> str:
        """With a host, where many readers expect one, and without percent signs, which trip configuration files."""
        user, database = (quote(self._values[name], safe="") for name in ("user", "database"))
        query = f"?host={quote(self._directory)}" if self._directory else ""  # and this is the host that counts
        return f"{scheme}://{user}@{self._values['host']}:{self._values['port']}/{database}{query}"

    def usable(self, scheme: str) -> str:
        """The scheme if its driver is installed, else one that SQLAlchemy can use."""
        driver = scheme.partition("+")[2] or self._meant
        if driver.replace("_async", "") in self._installed or not self._installed:
            return scheme
        return "postgresql" if self._meant in self._installed else self._explicit("postgresql")

    def fill(self, template: str, scheme: str) -> str:
        """Replace ``{url}``, ``{driver_url}``, ``{host}``, ``{port}``, ``{user}`` and ``{database}``."""
        urls = {"url": self.url("postgresql"), "driver_url": self.url(self._explicit(self.usable(scheme)))}
        values = {**self._values, **urls}
        return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found[0]), template)

    def _explicit(self, scheme: str) -> str:
        if "+" in scheme or not self._installed:
            return scheme
        return f"{scheme}+{self._meant if self._meant in self._installed else self._installed[0]}"


def _scheme(config: Any) -> str:
    """How the URL that the project is configured for begins, where it is one of PostgreSQL."""
    try:
        url = config.get_main_option("sqlalchemy.url") or ""
    except Exception:  # it interpolates what is not there
        url = ""
    return str(url.partition("://")[0]) if url.startswith("postgres") else "postgresql"
