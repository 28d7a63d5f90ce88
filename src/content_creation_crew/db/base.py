"""What every model shares: the declarative base, its naming convention and two mixins.

Not a place for queries or connections (``engine``). Imported by the models and, for autogenerate,
by ``alembic/env.py``.
"""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: Constraint names are part of the schema: migrations, error messages and operators name them.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

bigint_key = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]


class Base(DeclarativeBase):
    """Base of all models. ``str`` is ``text``, ``datetime`` is ``timestamptz``, a dictionary is ``jsonb``."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }


class Created:
    """A row that knows when it came into being."""

    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Updated:
    """A row that knows when the application last changed it. SQL written by hand must set it."""

    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
