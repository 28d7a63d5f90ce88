"""Chains of any length, made up for the benchmarks: 150 tables, and revisions as a product of some years has them.

The first fifteen revisions create ten tables each; those after them change one table each, the kinds by turns.
"""

from collections.abc import Callable
from pathlib import Path

TABLES = 150
PER_REVISION = 10
FIRST = TABLES // PER_REVISION  # so many revisions create the tables

INI = """\
[alembic]
script_location = %(here)s/alembic
"""

ENV = """\
import os

from alembic import context
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

with create_engine(os.environ["DATABASE_URL"], poolclass=NullPool).connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""

REVISION = '''\
"""{title}

Revision ID: {revision}
Revises: {parent}
Create Date: 2026-01-02 03:04:05.678901

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql


# revision identifiers, used by Alembic.
revision: str = {revision!r}
down_revision: Union[str, None] = {parent!r}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
{upgrade}


def downgrade() -> None:
{downgrade}
'''

Change = tuple[str, list[str], list[str]]  # title, statements up, statements down


def write_chain(directory: Path, length: int) -> Path:
    """Write a project with a chain of so many revisions.

    :return: its ``alembic.ini``.
    """
    versions = directory / "alembic" / "versions"
    versions.mkdir(parents=True)
    (directory / "alembic" / "env.py").write_text(ENV)
    ini = directory / "alembic.ini"
    ini.write_text(INI)
    for number in range(length):
        add_revision(directory, number)
    return ini


def add_revision(directory: Path, number: int) -> str:
    """Write the revision of that number on top of the one before it.

    :return: its id.
    """
    title, upgrade, downgrade = _tables(number) if number < FIRST else _change(number)
    text = REVISION.format(
        title=title,
        revision=_id(number),
        parent=_id(number - 1) if number else None,
        upgrade="\n".join(f"    {line}" for line in upgrade),
        downgrade="\n".join(f"    {line}" for line in downgrade),
    )
    (directory / "alembic" / "versions" / f"{_id(number)}.py").write_text(text)
    return _id(number)


def _id(number: int) -> str:
    return f"{number:012x}"


def _tables(number: int) -> Change:
    tables = range(number * PER_REVISION, (number + 1) * PER_REVISION)
    up = [line for table in tables for line in _create(table)]
    down = [f'op.drop_table("t{table}")' for table in reversed(tables)]
    return f"Create tables {tables[0]} to {tables[-1]}", up, down


def _create(table: int) -> list[str]:
    lines = [
        "op.create_table(",
        f'    "t{table}",',
        '    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),',
        '    sa.Column("name", sa.String(80), nullable=False, unique=True),',
        '    sa.Column("state", sa.String(20), nullable=False, server_default="new"),',
        '    sa.Column("note", sa.Text),',
        '    sa.Column("amount", sa.Numeric(12, 2)),',
        '    sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now()),',
        "    sa.CheckConstraint(\"state IN ('new', 'open', 'done')\", name=" + f'"state_of_t{table}"),',
    ]
    if table:
        lines.append(f'    sa.Column("parent_id", sa.BigInteger, sa.ForeignKey("t{table // 2}.id"), index=True),')
    return [*lines, ")"]


def _change(number: int) -> Change:
    place = number - FIRST
    return KINDS[place % len(KINDS)](f"t{place * 7 % TABLES}", f"n{number}")


def _add_column(table: str, name: str) -> Change:
    return (
        f"Add {table}.{name}",
        [f'op.add_column("{table}", sa.Column("{name}", sa.String(50)))'],
        [f'op.drop_column("{table}", "{name}")'],
    )


def _add_with_default(table: str, name: str) -> Change:
    return (
        f"Add {table}.{name} with a default",
        [f'op.add_column("{table}", sa.Column("{name}", sa.Integer, nullable=False, server_default="0"))'],
        [f'op.drop_column("{table}", "{name}")'],
    )


def _index(table: str, name: str) -> Change:
    return (
        f"Find {table} by its state",
        [f'op.create_index("ix_{table}_{name}", "{table}", ["state", "at"])'],
        [f'op.drop_index("ix_{table}_{name}")'],
    )


def _concurrent_index(table: str, name: str) -> Change:
    return (
        f"Find {table} by its amount, without blocking",
        [
            "with op.get_context().autocommit_block():",
            f'    op.create_index("ix_{table}_{name}", "{table}", ["amount"], postgresql_concurrently=True)',
        ],
        [
            "with op.get_context().autocommit_block():",
            f'    op.drop_index("ix_{table}_{name}", postgresql_concurrently=True)',
        ],
    )


def _data(table: str, name: str) -> Change:
    return (
        f"Close what is open in {table}",
        [f"op.execute(\"UPDATE {table} SET state = 'done' WHERE state = 'open'\")"],
        ["pass"],
    )


def _check(table: str, name: str) -> Change:
    return (
        f"Forbid negative amounts in {table}",
        [f'op.execute("ALTER TABLE {table} ADD CONSTRAINT {name} CHECK (amount > -1000000000000) NOT VALID")'],
        [f'op.drop_constraint("{name}", "{table}")'],
    )


def _widen(table: str, name: str) -> Change:
    return (
        f"Longer notes in {table}",
        [f'op.alter_column("{table}", "state", type_=sa.String(40), existing_type=sa.String(20))'],
        [f'op.alter_column("{table}", "state", type_=sa.String(20), existing_type=sa.String(40))'],
    )


def _new_table(table: str, name: str) -> Change:
    return (
        f"Keep events of {table}",
        [
            "op.create_table(",
            f'    "{name}",',
            '    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),',
            f'    sa.Column("owner_id", sa.BigInteger, sa.ForeignKey("{table}.id"), nullable=False),',
            '    sa.Column("kind", sa.String(20), nullable=False),',
            '    sa.Column("payload", sa.JSON),',
            ")",
        ],
        [f'op.drop_table("{name}")'],
    )


def _comment(table: str, name: str) -> Change:
    return (
        f"Say what {table} is",
        [f'op.create_table_comment("{table}", "{name}", existing_comment=None)'],
        [f'op.drop_table_comment("{table}")'],
    )


def _no_op(table: str, name: str) -> Change:
    return f"Nothing any more ({name})", ["pass"], ["pass"]


KINDS: tuple[Callable[[str, str], Change], ...] = (
    _add_column, _index, _data, _add_with_default, _new_table, _concurrent_index, _check, _add_column, _comment,
    _widen, _no_op,
)  # fmt: skip
