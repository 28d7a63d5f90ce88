"""backout.schema: the snapshot of a schema, and what differs between two."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from backout.schema import PRISTINE, snapshot

Disposable = Callable[..., Any]


@pytest.fixture
def connection(disposable: Disposable) -> Any:
    with psycopg.connect(disposable().url, autocommit=True) as connection:
        yield connection


def test_a_new_database_holds_what_is_pristine(connection: psycopg.Connection[Any]) -> None:
    assert dict(snapshot(connection).objects) == dict(PRISTINE)
