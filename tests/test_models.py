"""The models as such. That they agree with the chain is asserted in ``test_chain``."""

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import DateTime, Engine, ForeignKeyConstraint, Table, UniqueConstraint, select, text
from sqlalchemy.orm import Session, configure_mappers

from content_creation_crew.db.engine import create_engine
from content_creation_crew.db.models import (
    Base,
    ContentArtifact,
    ContentJob,
    ContentJobStatus,
    Membership,
    MembershipRole,
    Organization,
    User,
)

TABLES = [
    "audit_log",
    "billing_events",
    "content_artifacts",
    "content_jobs",
    "invoices",
    "memberships",
    "organizations",
    "retention_notifications",
    "sessions",
    "subscriptions",
    "usage_counters",
    "user_model_preferences",
    "users",
]


@pytest.fixture
def engine(disposable: Callable[..., Any]) -> Iterator[Engine]:
    engine = create_engine(disposable(revision="head").url)
    yield engine
    engine.dispose()


def test_the_tables() -> None:
    configure_mappers()
    assert sorted(Base.metadata.tables) == TABLES


def test_each_model_has_a_module_and_says_what_a_row_is() -> None:
    for mapper in Base.registry.mappers:
        module = importlib.import_module(mapper.class_.__module__)
        models = [
            value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__
        ]
        assert [model for model in models if issubclass(model, Base)] == [mapper.class_]
        assert mapper.class_.__doc__


def test_points_in_time_have_a_zone() -> None:
    naive = [
        str(column)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, DateTime) and not column.type.timezone
    ]
    assert naive == []


def test_each_foreign_key_has_an_index_and_says_what_a_deletion_does() -> None:
    """PostgreSQL makes none by itself, and each deletion of a parent looks for children."""
    for table in Base.metadata.tables.values():
        for key in table.foreign_key_constraints:
            assert key.ondelete in {"CASCADE", "SET NULL", "RESTRICT"}, key.name
            assert _is_indexed(table, key), key.name


def test_constraints_have_names_that_postgresql_keeps_whole() -> None:
    names = [
        str(named.name) for table in Base.metadata.tables.values() for named in [*table.constraints, *table.indexes]
    ]
    assert [name for name in names if len(name) > 63 or not name.startswith(("pk_", "fk_", "uq_", "ck_", "ix_"))] == []


def test_importing_the_models_imports_no_web_framework() -> None:
    script = "import sys, content_creation_crew.db.models; print('fastapi' in sys.modules, 'alembic' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert answer.stdout == "False False\n"


def test_objects_come_back_as_they_were_written(engine: Engine) -> None:
    with Session(engine) as session:
        user = User(email="zoe@example.com", display_name="Zoë", preferences={"theme": "dark", "ü": [1, None]})
        crew = Organization(name="Crew", slug="crew", settings={})
        session.add_all([user, crew, Membership(user=user, organization=crew, role=MembershipRole.EDITOR)])
        session.flush()
        session.add(
            ContentJob(
                organization_id=crew.id,
                created_by_id=user.id,
                title="T",
                content_type="newsletter",
                prompt="P",
                status=ContentJobStatus.CANCELLED,
                artifacts=[ContentArtifact(kind="outline", body="…")],
            )
        )
        session.commit()
    with Session(engine) as session:
        user = session.scalars(select(User)).one()
        assert user.preferences == {"theme": "dark", "ü": [1, None]}
        assert [(row.organization.slug, row.role) for row in user.memberships] == [("crew", MembershipRole.EDITOR)]
        job = session.scalars(select(ContentJob)).one()
        assert job.status is ContentJobStatus.CANCELLED
        assert (job.priority, job.parameters) == (100, {})
        assert [(artifact.kind, artifact.version) for artifact in job.artifacts] == [("outline", 1)]


def test_no_preferences_is_null_and_not_the_json_null(engine: Engine) -> None:
    with Session(engine) as session:
        session.add(User(email="zoe@example.com", display_name="Zoë", preferences=None))
        session.commit()
        assert session.scalar(text("SELECT count(*) FROM users WHERE preferences IS NULL")) == 1


def test_deleting_a_user_keeps_what_they_made(engine: Engine) -> None:
    with Session(engine) as session:
        user = User(email="zoe@example.com", display_name="Zoë")
        crew = Organization(name="Crew", slug="crew")
        session.add_all([user, crew, Membership(user=user, organization=crew)])
        session.flush()
        job = ContentJob(
            organization_id=crew.id, created_by_id=user.id, title="T", content_type="newsletter", prompt="P"
        )
        session.add(job)
        session.commit()
        session.delete(user)
        session.commit()
        assert session.scalars(select(Membership)).all() == []
        session.refresh(job)
        assert job.created_by_id is None


def _is_indexed(table: Table, key: ForeignKeyConstraint) -> bool:
    columns = list(key.columns)
    candidates = [
        list(index.columns) for index in table.indexes if index.dialect_kwargs.get("postgresql_where") is None
    ]
    candidates += [list(unique.columns) for unique in table.constraints if isinstance(unique, UniqueConstraint)]
    candidates.append(list(table.primary_key.columns))
    return any(candidate[: len(columns)] == columns for candidate in candidates)
