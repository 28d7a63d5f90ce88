"""The application: what a migration imports of it."""

import logging

logging.getLogger("app").warning("the application was imported")


def normal(name: str) -> str:
    return name.strip().lower()
