"""backout.rehearsal and backout.walk: known round trips are judged as what they are, and nothing else is said.

One chain: ``start`` makes a table for each case, and each case is a branch of its own upon it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from backout.campaign import Campaign
from backout.docstrings import lost_subjects
from backout.evidence import Evidence
from backout.postgres import Server
from backout.worker import Target


@dataclass(frozen=True)
class Case:
    """A revision and what is to come out.

    :param lost: what the untouched round trip loses.
    """

    table: str
    upgrade: str
    downgrade: str
    rollback: str
    risk: str
    lost: tuple[str, ...] = ()
    order: str = "either"


def column(table: str, definition: str, upgrade: str, downgrade: str, lost: bool, order: str = "either") -> Case:
    """A case about one column, called ``value``, which loses values or does not."""
    return Case(
        f"CREATE TABLE {table} (id int PRIMARY KEY, value {definition})",
        f"ALTER TABLE {table} {upgrade}",
        f"ALTER TABLE {table} {downgrade}",
        "risky" if lost else "yes",
        "high" if lost else "low",
        (f"{table}.value",) if lost else (),
        order,
    )


CASES: Mapping[str, Case] = {
    # -- what a careless rehearsal misses ------------------------------------------------------------
    "readded": Case(
        "CREATE TABLE readded (id int PRIMARY KEY, value text)",
        "ALTER TABLE readded DROP COLUMN value",
        "ALTER TABLE readded ADD COLUMN value text",
        "no", "high", ("readded.value",), "after",
    ),
    "constant": Case(
        "CREATE TABLE constant (id int PRIMARY KEY, value text NOT NULL)",
        "ALTER TABLE constant DROP COLUMN value",
        "ALTER TABLE constant ADD COLUMN value text NOT NULL DEFAULT ''; ALTER TABLE constant ALTER value DROP DEFAULT",
        "no", "high", ("constant.value",), "split",
    ),
    "truncated": column(
        "truncated", "text", "ALTER value TYPE varchar(40) USING left(value, 40)", "ALTER value TYPE text", True
    ),
    "rounded": column(
        "rounded", "timestamptz", "ALTER value TYPE timestamptz(0)", "ALTER value TYPE timestamptz", True
    ),
    "zoned": column("zoned", "timestamptz", "ALTER value TYPE timestamp", "ALTER value TYPE timestamptz", True),
    "dated": column("dated", "timestamptz", "ALTER value TYPE date", "ALTER value TYPE timestamptz", True),
    "jsoned": column("jsoned", "json", "ALTER value TYPE jsonb USING value::jsonb", "ALTER value TYPE json", True),
    "padded": column(
        "padded", "text", "ALTER value TYPE char(2000)", "ALTER value TYPE text", True
    ),
    "whole": column(
        "whole", "numeric(9, 2) CHECK (abs(value) < 9000000)",
        "ALTER value TYPE int", "ALTER value TYPE numeric(9, 2)", True,
    ),
    "single": column(
        "single", "double precision", "ALTER value TYPE real USING least(greatest(value, -1e9), 1e9)",
        "ALTER value TYPE double precision", True,
    ),
    "lowered": Case(
        "CREATE TABLE lowered (id int PRIMARY KEY, value text)",
        "UPDATE lowered SET value = lower(value)", "SELECT 1", "risky", "high", ("lowered.value",),
    ),
    "labelled": Case(
        "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE TABLE labelled (id int PRIMARY KEY, value mood)",
        "ALTER TABLE labelled ALTER value TYPE text; UPDATE labelled SET value = 'ok' WHERE value = 'sad';"
        " DROP TYPE mood; CREATE TYPE mood AS ENUM ('ok', 'happy');"
        " ALTER TABLE labelled ALTER value TYPE mood USING value::mood",
        "ALTER TABLE labelled ALTER value TYPE text; DROP TYPE mood; CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');"
        " ALTER TABLE labelled ALTER value TYPE mood USING value::mood",
        "risky", "high", ("labelled.value",),
    ),
    "split": Case(
        "CREATE TABLE split (id int PRIMARY KEY, value text NOT NULL)",
        "ALTER TABLE split ADD first text, ADD last text;"
        " UPDATE split SET first = split_part(value, ' ', 1), last = split_part(value, ' ', 2);"
        " ALTER TABLE split DROP value",
        "ALTER TABLE split ADD value text; UPDATE split SET value = first || ' ' || last;"
        " ALTER TABLE split ALTER value SET NOT NULL, DROP first, DROP last",
        "risky", "high", ("split.value",), "split",
    ),
    "deduplicated": Case(
        "CREATE TABLE deduplicated (id int PRIMARY KEY, value text)",
        "DELETE FROM deduplicated a USING deduplicated b WHERE a.value = b.value AND a.id > b.id;"
        " ALTER TABLE deduplicated ADD CONSTRAINT only_one UNIQUE (value)",
        "ALTER TABLE deduplicated DROP CONSTRAINT only_one",
        "risky", "high", ("deduplicated",),
    ),
    "uncheck": Case(
        "CREATE TABLE uncheck (id int PRIMARY KEY, value int, CONSTRAINT positive CHECK (value > 0))",
        "ALTER TABLE uncheck DROP CONSTRAINT positive", "SELECT 1", "risky", "medium",
    ),
    "undefault": Case(
        "CREATE TABLE undefault (id int PRIMARY KEY, value int DEFAULT 7)",
        "ALTER TABLE undefault ALTER value DROP DEFAULT", "SELECT 1", "risky", "medium",
    ),
    "resequenced": Case(
        "CREATE TABLE resequenced (id serial PRIMARY KEY, value text)",
        "ALTER SEQUENCE resequenced_id_seq RESTART", "SELECT 1", "risky", "medium",
    ),
    "label_added": Case(
        "CREATE TYPE state AS ENUM ('on', 'off'); CREATE TABLE label_added (id int PRIMARY KEY, value state)",
        "ALTER TYPE state ADD VALUE IF NOT EXISTS 'standby'", "SELECT 1", "risky", "medium",
    ),
    "filtered": Case(
        "CREATE TABLE filtered (id int PRIMARY KEY, kind text, value text)",
        "UPDATE filtered SET value = NULL WHERE kind = 'quite old'", "SELECT 1", "risky", "high", ("filtered.value",),
    ),
    "table_gone": Case(
        "CREATE TABLE table_gone (id int PRIMARY KEY, value text)",
        "DROP TABLE table_gone", "CREATE TABLE table_gone (id int PRIMARY KEY, value text)",
        "no", "high", ("table_gone",), "after",
    ),
    "one_way": Case(
        "CREATE TABLE one_way (id int PRIMARY KEY, value text)",
        "ALTER TABLE one_way ADD more text", "DO $$ BEGIN RAISE 'no way back'; END $$", "no", "high", (), "before",
    ),
    # -- only what was written since, or what does not fit any more ------------------------------------
    "added": Case(
        "CREATE TABLE added (id int PRIMARY KEY)", "ALTER TABLE added ADD value text", "ALTER TABLE added DROP value",
        "yes if unused", "low", (), "before",
    ),
    "widened": Case(
        "CREATE TABLE widened (id int PRIMARY KEY, value varchar(20))",
        "ALTER TABLE widened ALTER value TYPE varchar(40)", "ALTER TABLE widened ALTER value TYPE varchar(20)",
        "risky", "medium",
    ),
    "nullable": Case(
        "CREATE TABLE nullable (id int PRIMARY KEY, value int NOT NULL)",
        "ALTER TABLE nullable ALTER value DROP NOT NULL", "ALTER TABLE nullable ALTER value SET NOT NULL",
        "risky", "medium", (), "before",
    ),
    # -- harmless ------------------------------------------------------------------------------------
    "indexed": Case(
        "CREATE TABLE indexed (id int PRIMARY KEY, value text)",
        "CREATE INDEX by_value ON indexed (value)", "DROP INDEX by_value", "yes", "low",
    ),
    "renamed": Case(
        "CREATE TABLE renamed (id int PRIMARY KEY, value text)",
        "ALTER TABLE renamed RENAME value TO worth", "ALTER TABLE renamed RENAME worth TO value",
        "yes", "low", (), "split",
    ),
    "kept": Case(
        "CREATE TABLE kept (id int PRIMARY KEY, value text)",
        "CREATE TABLE kept_values AS SELECT id, value FROM kept; ALTER TABLE kept DROP value",
        "ALTER TABLE kept ADD value text; UPDATE kept SET value = k.value FROM kept_values k WHERE k.id = kept.id;"
        " DROP TABLE kept_values",
        "yes if unused", "low", (), "split",
    ),
    "clocked": Case(
        "CREATE TABLE clocked (id int PRIMARY KEY)",
        "ALTER TABLE clocked ADD at timestamptz NOT NULL DEFAULT clock_timestamp()", "ALTER TABLE clocked DROP at",
        "yes if unused", "low", (), "before",
    ),
}  # fmt: skip

REVISION = """{name!r}
from alembic import op
revision = {name!r}
down_revision = {parent!r}
def upgrade():
    op.execute({upgrade!r})
def downgrade():
    op.execute({downgrade!r})
"""


@pytest.fixture(scope="module")
def measured(backout_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Evidence]]:
    """The evidence of every case."""
    root = tmp_path_factory.mktemp("cases")
    (root / "alembic" / "versions").mkdir(parents=True)
    (root / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/alembic\npath_separator = os\n")
    (root / "alembic" / "env.py").write_text(
        "import os, sqlalchemy\n"
        "from alembic import context\n"
        "engine = sqlalchemy.create_engine(os.environ['DATABASE_URL'], poolclass=sqlalchemy.NullPool)\n"
        "with engine.connect() as connection:\n"
        "    context.configure(connection=connection)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n"
    )
    tables = "; ".join(case.table for case in CASES.values())
    write(root, "start", None, tables, "SELECT 1")
    for name, case in CASES.items():
        write(root, name, "start", case.upgrade, case.downgrade)
    with Campaign(Target(root / "alembic.ini"), backout_server.handle()) as campaign:
        yield {result.evidence.revision: result.evidence for result in campaign.measure(campaign.choose(list(CASES)))}


def write(root: Path, name: str, parent: str | None, upgrade: str, downgrade: str) -> None:
    text = REVISION.format(name=name, parent=parent, upgrade=upgrade, downgrade=downgrade)
    (root / "alembic" / "versions" / f"{name}.py").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_verdict(measured: Mapping[str, Evidence], name: str) -> None:
    case, evidence = CASES[name], measured[name]
    assert evidence.unproven == ()
    assert (evidence.rollback, evidence.risk, lost_subjects(evidence)) == (case.rollback, case.risk, case.lost)


@pytest.mark.parametrize("name", CASES)
def test_order(measured: Mapping[str, Evidence], name: str) -> None:
    assert measured[name].compatibility.order == CASES[name].order
