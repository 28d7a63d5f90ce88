"""backout.production.salvage: what a rollback would lose is kept and comes back, or that is refused before.

The proof is made on every revision of the repository's chain, on all specimens of the package that lose something, and
on a sample project with what is hard to keep: rows meant to hurt are written, the revision is rolled back with salvage
and applied again, and every value is compared.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from alembic import command as alembic
from alembic.config import Config
from alembic.util import CommandError
from click.testing import CliRunner
from psycopg import sql

from backout import rows, seed
from backout.cli import main
from backout.errors import ConfigurationError, Refused
from backout.evidence import Evidence, Loss, Losses, Step, on_major
from backout.evidence_files import EvidenceFiles, is_stale
from backout.literals import literals_of_revision
from backout.masking import Masking
from backout.postgres import Database, Server, real_database
from backout.production import Deployment, Preview, preview, salvage
from backout.production.salvage import SCHEMA, Plan, Restoration, Salvage
from backout.specimens import Specimen, _id, _write_project, kept, specimens
from backout.tables import Table, read_tables
from backout.verdict import added_by
from backout.worker import Chain, Revision, StepReport, Target, Worker

Make = Callable[..., Database]
ROOT = Path(__file__).parents[1]
KEPT = ROOT / "tests/samples/projects/kept"

Fault = Callable[[str, int, str, int], None]


@dataclass
class Lab:
    """A chain with its evidence, and databases at its revisions, each made once and cloned."""

    server: Server
    worker: Worker
    chain: Chain
    evidence: Mapping[str, Evidence]
    made: dict[str | None, Database] = field(default_factory=dict)
    clones: list[Database] = field(default_factory=list)

    def revision(self, name: str) -> Revision:
        return next(one for one in self.chain.revisions if one.id == name)

    def at(self, name: str) -> Database:
        """A database at a revision."""
        self.clones.append(self.server.clone(self._template(name)))
        return self.clones[-1]

    def _template(self, name: str | None) -> Database:
        if name not in self.made and name is None:
            self.made[name] = self.server.create()
        elif name not in self.made:
            # Along the chain's own order, which is one line also where it branches.
            place = [one.id for one in self.chain.revisions].index(str(name))
            below = self._template(self.chain.revisions[place - 1].id if place and self.is_line else self._parent(name))
            database = self.server.clone(below)
            report = self.worker.step(database, str(name), "upgrade")
            assert report.outcome == "applied", report.failure
            self.made[name] = database
        return self.made[name]

    @property
    def is_line(self) -> bool:
        return len(self.chain.heads) == 1

    def _parent(self, name: str | None) -> str | None:
        return next(iter(self.revision(str(name)).parents), None)

    @contextmanager
    def deployed(self, database: Database) -> Iterator[Deployment]:
        with real_database(database.url) as real:
            tables = frozenset({"public.alembic_version"})
            yield Deployment(real, self.worker, self.chain, self.evidence, frozenset(), tables, Masking())

    def drop(self) -> None:
        while self.clones:
            self.server.drop(self.clones.pop())


@contextmanager
def laboratory(server: Server, target: Target, evidence: Mapping[str, Evidence] | None = None) -> Iterator[Lab]:
    with Worker(target, server) as worker:
        origin = server.create()
        chain = worker.load(origin)
        found = EvidenceFiles(chain.env.parent).read() if evidence is None else evidence
        lab = Lab(server, worker, chain, {name: on_major(one, server.major) for name, one in found.items()})
        lab.made[None] = origin
        yield lab
        lab.drop()
        for database in lab.made.values():
            server.drop(database)


@pytest.fixture(scope="module")
def shop_lab(backout_server: Server) -> Iterator[Lab]:
    with laboratory(backout_server, Target(KEPT / "alembic.ini")) as lab:
        yield lab


@pytest.fixture
def shop(shop_lab: Lab) -> Iterator[Lab]:
    """The sample project."""
    yield shop_lab
    shop_lab.drop()


def run(database: Database, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def tables_of(connection: psycopg.Connection[Any]) -> dict[str, Table]:
    """Without Alembic's and the salvage's own."""
    found = read_tables(connection, frozenset({"public.alembic_version"}))
    return {name: table for name, table in found.items() if table.schema != SCHEMA}


def values_of(database: Database) -> rows.Values:
    with psycopg.connect(database.url, autocommit=True) as connection:
        return rows.read_values(connection, tables_of(connection).values())


def lost(database: Database, before: rows.Values) -> tuple[Loss, ...]:
    """What of it is not there."""
    after = values_of(database)
    with psycopg.connect(database.url, autocommit=True) as connection:
        return rows.losses(before, after, connection=connection)


def fill(lab: Lab, revision: str, database: Database) -> rows.Values:
    """Write rows meant to hurt into every table, twice, as before and after the upgrade; what they are."""
    added = added_by(lab.evidence[revision])
    literals = literals_of_revision(lab.revision(revision).path.read_text(encoding="utf-8"))
    with psycopg.connect(database.url, autocommit=True) as connection:
        tables = tables_of(connection)
        seed.seed(connection, tables, set(tables), literals=literals)
        new = {
            (name, column.name)
            for name, table in tables.items()
            for column in table.columns
            if f"{name}.{column.quoted}" in added
        }
        seed.more_rows(connection, tables, set(tables), fill=new, literals=literals)
    return values_of(database)


def roll_back(lab: Lab, revision: str, database: Database) -> tuple[Plan, StepReport]:
    """With salvage, which is not refused."""
    with lab.deployed(database) as deployment, deployment.connect("test") as connection:
        plan = salvage.plan(deployment, lab.revision(revision), connection)
    assert plan.refusals == ()
    return plan, lab.worker.step(database, revision, "downgrade", around=(plan.first, plan.last))


def apply(lab: Lab, revision: str, database: Database) -> Restoration:
    """Upgrade, and put back."""
    with lab.deployed(database) as deployment, deployment.connect("test") as connection:
        back = salvage.restoration(deployment, lab.revision(revision), connection)
        report = lab.worker.step(database, revision, "upgrade", around=(back.first, back.last))
        assert report.outcome == "applied", report.failure
        with connection.transaction():
            for statement in back.behind:
                connection.execute(statement.encode())
    return back


def contents(database: Database) -> tuple[Salvage, ...]:
    with psycopg.connect(database.url, autocommit=True) as connection:
        return salvage.contents(connection)


def left(database: Database) -> dict[str, dict[str | None, int]]:
    """Table → why rows were not put back, and how many."""
    found: dict[str, dict[str | None, int]] = {}
    for one in contents(database):
        for each in one.left:
            found.setdefault(one.table, {})[each.why] = each.rows
    return found


def again(lab: Lab, revision: str, database: Database, *between: str) -> dict[str, dict[str | None, int]]:
    """Roll back with salvage, let others work, apply; what was not put back."""
    _, report = roll_back(lab, revision, database)
    assert report.outcome == "applied", report.failure
    if between:
        run(database, *between)
    apply(lab, revision, database)
    return left(database)


# -- the proof -------------------------------------------------------------------------------------

# Why salvage may refuse: nothing else is a reason.
REASONS = (
    r"there is nothing to keep: .* lost its values when \w+ was applied",
    r"\S+ has no key that outlives the downgrade, by which .* could be put back",
    r"the downgrade of \w+ is not one transaction, so that nothing can be kept together with it",
    r"the downgrade of \w+ failed in the rehearsal: .*",
    r"what \w+ loses is not proved: not all of it could be measured",
)


def prove(lab: Lab, name: str) -> str:
    """Nothing is lost, or it is refused, and the preview has said what would be; which it was."""
    evidence = lab.evidence[name]
    database = lab.at(name)
    before = fill(lab, name, database)
    without = lab.server.clone(database)
    lab.clones.append(without)
    with lab.deployed(database) as deployment, deployment.connect("test") as connection:
        said = preview(one_step(deployment, name))
        plan = salvage.plan(deployment, lab.revision(name), connection)
    check_preview(lab, name, said, without, before)
    if plan.refusals:
        assert [one for one in plan.refusals if not any(re.fullmatch(reason, one) for reason in REASONS)] == []
        assert (plan.first, plan.last, plan.subjects) == ((), (), ())
        return "refused"
    report = lab.worker.step(database, name, "downgrade", around=(plan.first, plan.last))
    if report.outcome != "applied":
        # It fails on the rows, as it did in the rehearsal: neither is done.
        assert evidence.lived_in_downgrade.outcome == "failed", report.failure
        assert (values_of(database), contents(database)) == (before, ())
        return "fails on rows"
    if evidence.reupgrade.outcome == "failed" or evidence.lived_in_reupgrade.outcome == "failed":
        assert sum(one.rows for one in contents(database)) > 0
        return "cannot be applied again"
    back = apply(lab, name, database)
    if not plan.subjects:
        assert lost(database, before) == ()
        return "nothing to keep"
    missing = lost(database, before)
    if missing and back.behind:
        # An upgrade that is not one transaction and writes over old values: nobody can tell who has. They stay kept.
        assert {one.table for one in missing} == left(database).keys()
        assert all(reasons.keys() == {"changed since"} for reasons in left(database).values())
        return "left in the salvage"
    assert missing == ()
    assert left(database) == {}
    return "kept"


def one_step(deployment: Deployment, name: str) -> Deployment:
    """For a preview of exactly this revision, whatever its parents are."""
    only = next(one for one in deployment.chain.revisions if one.id == name)
    chain = replace(deployment.chain, revisions=(replace(only, parents=(), dependencies=()),))

    class At(Deployment):
        def current(self) -> tuple[str, ...]:
            return (name,)

    return At(**{one: getattr(deployment, one) for one in Deployment.__dataclass_fields__} | {"chain": chain})


def check_preview(lab: Lab, name: str, said: Preview, database: Database, before: rows.Values) -> None:
    """What a plain rollback does to the same rows was told, and not less."""
    (told,) = said.undone
    report = lab.worker.step(database, name, "downgrade")
    if report.outcome != "applied":
        assert said.advice in ("fails", "fails now", "unproven"), report.failure
        return
    assert not any(one.rows.number for one in told.fails_on)
    if lab.worker.step(database, name, "upgrade").outcome != "applied":
        return
    for loss in lost(database, before):
        covering = [
            one for one in told.losses if one.doomed.table == loss.table and one.doomed.column in (None, loss.column)
        ]
        numbers = [one.lost.number for one in covering]
        assert any(number is None or number >= loss.lost for number in numbers), (loss, told.losses)
        assert said.advice in ("lost", "kept", "fails", "unproven", "fails now")


OWN = sorted(re.findall(r"_([0-9a-f]{12})_", " ".join(path.name for path in (ROOT / "alembic/versions").glob("*.py"))))
SHOP = ("shop", "columns", "tables", "widened", "written", "label", "partition", "index", "renamed")


def loses(evidence: Evidence) -> bool:
    return bool(evidence.loss.lived_in or evidence.loss.untouched or evidence.lived_in_downgrade.outcome == "failed")


SPECIMENS = {one.name: one for one in specimens() if (found := kept(one)) is not None and loses(found)}


@pytest.fixture(scope="module")
def own_lab(backout_server: Server) -> Iterator[Lab]:
    with laboratory(backout_server, Target(ROOT / "alembic.ini")) as lab:
        yield lab


@pytest.fixture(scope="module")
def specimen_lab(backout_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    target = Target(_write_project(tmp_path_factory.mktemp("specimens"), SPECIMENS.values()))
    evidence = {name: replace(found, revision=name) for one in SPECIMENS.values() for name, found in [evidence_of(one)]}
    with laboratory(backout_server, target, evidence) as lab:
        yield lab


# Specimens that lose what is there now, and why salvage cannot bring it back.
NO_KEY = (
    "catalogue/columns-rebuilt-by-guess/unsafe", "catalogue/downgrade-meets-large-numbers/unsafe",
    "catalogue/rename-not-reversed/unsafe", "catalogue/rows-deleted/unsafe", "catalogue/serial-column-rewrites/unsafe",
    "catalogue/truncated-table/unsafe", "kinds/add-column/identity", "kinds/add-primary-key/identity",
    "kinds/data-migration/emptied", "kinds/data-migration/orphans",
)  # fmt: skip
NOT_ONE_TRANSACTION = ("catalogue/_safer/keep/safer", "catalogue/half-applied/unsafe")
NO_SECOND_UPGRADE = ("catalogue/dropped-column-stays-lost/unsafe", "catalogue/dropped-table-stays-lost/unsafe")
NOT_KEPT = {
    **dict.fromkeys((*NO_KEY, *NOT_ONE_TRANSACTION), "refused"),
    **dict.fromkeys(NO_SECOND_UPGRADE, "cannot be applied again"),
    "kinds/data-migration/in_batches": "left in the salvage",
}


def evidence_of(specimen: Specimen) -> tuple[str, Evidence]:
    found = kept(specimen)
    assert found is not None
    return _id(specimen.files[-1]), found


@pytest.mark.parametrize("name", OWN)
def test_nothing_is_lost_in_the_repositorys_chain(own_lab: Lab, name: str) -> None:
    expected = {
        "3263c0e46dff": "refused", "4fb2096bbdef": "refused", "76f0ddcb0970": "refused",  # thrown away by the upgrade
        "33ab76c18ce9": "fails on rows", "a6219d533876": "fails on rows",
    }  # fmt: skip
    lost_in = own_lab.evidence[name].loss.lived_in
    assert prove(own_lab, name) == expected.get(name, "kept" if lost_in else "nothing to keep")
    own_lab.drop()


@pytest.mark.parametrize("name", SHOP)
def test_nothing_is_lost_that_is_hard_to_keep(shop: Lab, name: str) -> None:
    assert prove(shop, name) == ("nothing to keep" if name == "index" else "kept")


@pytest.mark.parametrize("name", SPECIMENS)
def test_nothing_is_lost_of_any_specimen(specimen_lab: Lab, name: str) -> None:
    evidence = evidence_of(SPECIMENS[name])[1]
    upgrade = {(one.table, one.column) for one in evidence.loss.upgrade or ()}
    back = {(one.table, one.column) for one in evidence.loss.untouched or ()} - upgrade
    if name in NOT_KEPT:
        expected = NOT_KEPT[name]
    elif evidence.lived_in_downgrade.outcome == "failed":
        expected = "fails on rows"
    elif not evidence.loss.lived_in and not back:
        expected = "refused"  # it was thrown away when it was applied
    else:
        expected = "kept"
    assert prove(specimen_lab, _id(SPECIMENS[name].files[-1])) == expected
    specimen_lab.drop()


def test_the_evidence_of_the_sample_project_is_of_its_files(shop: Lab) -> None:
    files = EvidenceFiles(KEPT / "migrations")
    prints = files.fingerprints(shop.chain.revisions)
    stale = [name for name in SHOP if is_stale(files.read().get(name), prints[name])]
    assert stale == [], "measure it again: backout rehearse -c tests/samples/projects/kept/alembic.ini"


# -- what comes back, and what does not --------------------------------------------------------------

ANN = "INSERT INTO users (id, email, state) VALUES (1, 'ann', 'new'), (2, 'bob', 'new'), (3, 'cid', 'new')"


def test_a_new_column_comes_back_to_rows_that_were_changed_since(shop: Lab) -> None:
    """Nobody can have written into it, and the upgrade has put nothing of its own there."""
    database = shop.at("columns")
    run(database, ANN, "UPDATE users SET plain = 'kept', gift = true, colour = 'green', number = DEFAULT")
    rest = again(shop, "columns", database, "UPDATE users SET state = 'changed'")
    assert rest == {}
    assert run(database, "SELECT plain, gift, colour::text, number, state FROM users ORDER BY id") == [
        ("kept", True, "green", number, "changed") for number in (4, 5, 6)
    ]


def test_a_value_that_the_upgrade_has_computed_of_newer_ones_stays(small_chain: Any, backout_server: Server) -> None:
    """Where the row is as it was left, what was kept comes back; else the new one was made of what somebody wrote."""
    small_chain.add("a1", "op.execute('CREATE TABLE t (id int PRIMARY KEY, whole text)')", "op.drop_table('t')")
    small_chain.add(
        "b2",
        "op.execute('ALTER TABLE t ADD half text')\nop.execute('UPDATE t SET half = left(whole, 1)')",
        "op.execute('ALTER TABLE t DROP half')",
    )
    evidence = {"b2": doomed_evidence("b2", ("a1",), ("public.t", "half"), ("column", "public.t.half", None, "text"))}
    with laboratory(backout_server, Target(small_chain.root / "alembic.ini"), evidence) as lab:
        database = lab.at("b2")
        run(database, "INSERT INTO t VALUES (1, 'abc', 'mine'), (2, 'def', 'mine'), (3, NULL, 'mine')")
        rest = again(
            lab, "b2", database, "UPDATE t SET whole = 'xyz' WHERE id = 2", "UPDATE t SET whole = '' WHERE id = 3"
        )
        assert rest == {"public.t": {"changed since": 2}}
        assert run(database, "SELECT id, half FROM t ORDER BY id") == [(1, "mine"), (2, "x"), (3, "")]


def doomed_evidence(
    revision: str,
    parents: tuple[str, ...],
    doomed: tuple[str, str | None],
    *changes: tuple[str, str, str | None, str | None],
    transactional: bool = True,
) -> Evidence:
    """Evidence of a revision whose rollback loses one thing."""
    template = EvidenceFiles(KEPT / "migrations").read()["widened"]
    step = Step("applied", transactional=transactional, statements=())
    shown = tuple(replace(template.schema.changes[0], kind=kind, name=name, before=before, after=after)
                  for kind, name, before, after in changes) if template.schema.changes else ()  # fmt: skip
    return replace(
        template,
        revision=revision,
        parents=parents,
        upgrade=step,
        downgrade=Step("applied", transactional=True, statements=()),
        schema=replace(template.schema, changes=shown),
        loss=Losses((), (), (Loss(*doomed, 5, 8, ("a", None), (3, 0)),)),
    )


def test_an_old_value_that_was_changed_since_is_not_written_over(shop: Lab) -> None:
    """Of a row of which something else was changed, it comes back."""
    database = shop.at("widened")
    long = "x" * 50
    run(database, ANN, f"UPDATE users SET note = '{long}' || id")
    rest = again(
        shop,
        "widened",
        database,
        "UPDATE users SET note = 'newer' WHERE id = 1",
        "UPDATE users SET state = 'newer', email = 'newer' WHERE id = 2",
    )
    assert rest == {"public.users": {"changed since": 1}}
    assert run(database, "SELECT note, state FROM users ORDER BY id") == [
        ("newer", "new"), (f"{long}2", "newer"), (f"{long}3", "new"),
    ]  # fmt: skip


def test_rows_that_are_gone_and_keys_that_are_taken(shop: Lab) -> None:
    database = shop.at("columns")
    run(database, ANN, "UPDATE users SET plain = 'kept'")
    rest = again(shop, "columns", database, "DELETE FROM users WHERE id = 1")
    assert rest == {"public.users": {"the row is gone": 1}}
    drafts = shop.at("written")
    run(drafts, ANN, "UPDATE users SET state = 'draft'", "INSERT INTO letters VALUES (1, 1, 'a'), (2, 3, 'b')")
    rest = again(
        shop,
        "written",
        drafts,
        "INSERT INTO users (id, email, state) VALUES (9, 'ann', 'new'), (2, 'other', 'new')",
    )
    assert rest == {
        "public.letters": {"a foreign key would break: letters_user_id_fkey": 1},
        "public.users": {"changed since": 1, "users_email_key refuses it": 1},
    }
    assert run(drafts, "SELECT id, email FROM users ORDER BY id") == [(2, "other"), (3, "cid"), (9, "ann")]
    assert run(drafts, "SELECT id, user_id, body FROM letters") == [(2, 3, "b")]


def test_a_row_that_was_left_and_then_deleted_does_not_rise_again(shop: Lab) -> None:
    """The upgrade writes over its state, so that the whole row was kept; somebody has deleted it since."""
    database = shop.at("written")
    run(database, ANN)
    assert again(shop, "written", database, "DELETE FROM users WHERE id = 2") == {
        "public.users": {"the row is gone": 1}
    }
    assert run(database, "SELECT id FROM users ORDER BY id") == [(1,), (3,)]


def test_tables_come_back_whole_with_their_links_and_numbers(shop: Lab) -> None:
    database = shop.at("tables")
    run(
        database,
        ANN,
        """INSERT INTO shipments OVERRIDING SYSTEM VALUE
           VALUES (1, 'post', 3, 1), (2, NULL, 1, 2), (3, 'courier', NULL, NULL), (70, 'post', NULL, 3)""",
        "SELECT setval('shipments_id_seq', 500)",
        "INSERT INTO a_parcels (shipment_id, weight) VALUES (1, 1.500), (2, 2), (70, 3)",
        "INSERT INTO without_key VALUES ('same', NULL), ('same', NULL), (NULL, NULL)",
        "UPDATE filled SET name = 'Deutschland' WHERE code = 'DE'; DELETE FROM filled WHERE code = 'FR'",
    )
    rest = again(shop, "tables", database, "DELETE FROM users WHERE id = 2")
    # Who goes takes with him what refers to him, at any distance.
    assert rest == {
        "public.a_parcels": {"a foreign key would break: a_parcels_shipment_id_fkey": 1},
        "public.shipments": {"a foreign key would break: shipments_user_id_fkey": 1},
    }
    assert run(database, "SELECT id, before, user_id FROM shipments ORDER BY id") == [
        (1, 3, 1),
        (3, None, None),
        (70, None, 3),
    ]
    assert run(database, "SELECT * FROM without_key ORDER BY said") == [("same", None), ("same", None), (None, None)]
    # What the upgrade puts there itself is its own business, except where somebody had written over it.
    assert run(database, "SELECT code, name FROM filled ORDER BY code") == [("DE", "Deutschland"), ("FR", "France")]
    assert run(database, "INSERT INTO shipments (carrier) VALUES ('post') RETURNING id") == [(501,)]
    assert run(database, "INSERT INTO a_parcels (shipment_id) VALUES (1) RETURNING id") == [(4,)]


def test_a_corrected_revision_with_another_name_brings_it_back(shop: Lab, tmp_path: Path) -> None:
    """Also with a longer type; what it does not bring, or as another type, stays kept."""
    database = shop.at("columns")
    run(
        database, ANN, "UPDATE users SET plain = 'kept', gift = true, short = 'kept', padded = 'kept  '",
        """INSERT INTO "Größe"."Kunden""liste" VALUES ('DE', 1, 'x', 'mail', 'Ort')""",
    )  # fmt: skip
    assert roll_back(shop, "columns", database)[1].outcome == "applied"
    copy = shutil.copytree(KEPT, tmp_path / "kept")
    versions = copy / "migrations" / "versions"
    for path in versions.glob("*.py"):
        if path.stem != "shop":
            path.unlink()
    (versions / "corrected.py").write_text(
        "from alembic import op\nrevision, down_revision = 'corrected', 'shop'\n"
        "def upgrade():\n    op.execute('ALTER TABLE users ADD plain text, ADD gift text, ADD padded bpchar')\n"
        """    op.execute('ALTER TABLE "Größe"."Kunden""liste" ADD "Ort" char(20)')\n"""
        """    op.execute('ALTER TABLE "Größe"."Kunden""liste" ADD "E-Mail %s \\\\:x" varchar(2)')\n"""
        "def downgrade():\n    raise NotImplementedError\n"
    )
    step = Step("applied", transactional=True, statements=())
    changes = shop.evidence["columns"].schema
    evidence = {"corrected": replace(shop.evidence["columns"], revision="corrected", upgrade=step, schema=changes)}
    with laboratory(shop.server, Target(copy / "alembic.ini"), evidence) as lab:
        apply(lab, "corrected", database)
    assert left(database) == {
        '"Größe"."Kunden""liste"': {"the type is another": 1},
        "public.users": {"the type is another": 3},
    }
    assert run(database, "SELECT plain, gift, padded FROM users ORDER BY id") == [("kept", None, "kept  ")] * 3
    assert run(database, """SELECT * FROM "Größe"."Kunden""liste" """) == [("DE", 1, "x", "Ort" + 17 * " ", None)]


def test_an_upgrade_that_is_not_concerned_touches_nothing(shop: Lab) -> None:
    """Neither does it wait for the table, nor does what is kept count as tried."""
    database = shop.at("columns")
    run(database, ANN, "UPDATE users SET plain = 'kept'")
    roll_back(shop, "columns", database)
    with shop.deployed(database) as deployment, deployment.connect("test") as connection:
        assert salvage.restoration(deployment, shop.revision("partition"), connection) == Restoration("partition")
        assert salvage.restoration(deployment, shop.revision("columns"), connection).subjects == ("public.users",)
    assert left(database) == {"public.users": {None: 3}}
    (one,) = contents(database)
    assert (one.put_back, one.put_back_by, one.is_done) == (0, None, False)


def test_several_revisions_rolled_back_and_applied_again(shop: Lab) -> None:
    names = [name for name in SHOP[1:] if name != "index"]
    database = shop.at("renamed")
    before = fill(shop, "renamed", database)
    for name in SHOP[:0:-1]:
        _, report = roll_back(shop, name, database)
        if report.outcome != "applied":
            assert (name, report.failure and report.failure.sqlstate) == ("index", None), report.failure
    assert [one.revision for one in contents(database) if one.is_done] == []
    for name in SHOP[1:]:
        apply(shop, name, database)
    assert lost(database, before) == ()
    assert left(database) == {}
    assert {one.revision for one in contents(database)} == set(names)


def test_the_newer_salvage_counts(shop: Lab) -> None:
    """What was deleted between two rollbacks does not come back from the older one."""
    database = shop.at("columns")
    run(database, ANN, "UPDATE users SET plain = 'old'")
    again(shop, "columns", database, "DELETE FROM users WHERE id = 3")
    run(database, "UPDATE users SET plain = CASE id WHEN 1 THEN 'newer' END")
    assert again(shop, "columns", database) == {"public.users": {"the row is gone": 1}}
    assert run(database, "SELECT plain FROM users ORDER BY id") == [("newer",), (None,)]
    assert [(one.rows, one.put_back) for one in contents(database)] == [(3, 2), (2, 2)]
    # Also where the older one has not been tried yet.
    roll_back(shop, "columns", database)
    assert shop.worker.step(database, "columns", "upgrade").outcome == "applied"
    run(database, "UPDATE users SET plain = NULL, short = 'newest' WHERE id = 1")
    again(shop, "columns", database)
    assert run(database, "SELECT plain, short FROM users WHERE id = 1") == [(None, "newest")]
    assert left(database) == {"public.users": {"the row is gone": 1, "a later rollback has kept newer": 2}}
    # And where there was nothing to keep any more.
    roll_back(shop, "columns", database)
    assert shop.worker.step(database, "columns", "upgrade").outcome == "applied"
    run(database, "DELETE FROM users")
    again(shop, "columns", database, "INSERT INTO users (id, email, state) VALUES (1, 'ann', 'new')")
    assert run(database, "SELECT plain, short FROM users") == [(None, None)]


def test_triggers_stay_as_they_were_and_do_nothing_meanwhile(shop: Lab) -> None:
    database = shop.at("columns")
    run(
        database, ANN, "UPDATE users SET plain = 'kept'",
        "CREATE TABLE seen (what text)",
        "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN INSERT INTO seen VALUES (TG_NAME); RETURN NEW; END'",
        *(f"CREATE TRIGGER {name} BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION see()" for name in "abcd"),
        "ALTER TABLE users DISABLE TRIGGER b, ENABLE ALWAYS TRIGGER c, ENABLE REPLICA TRIGGER d",
    )  # fmt: skip
    state = """SELECT tgname, tgenabled::text FROM pg_trigger
               WHERE tgrelid = 'users'::regclass AND NOT tgisinternal ORDER BY 1"""
    before = run(database, state)
    assert again(shop, "columns", database) == {}
    assert run(database, state) == before
    assert run(database, "SELECT * FROM seen") == []
    assert run(database, "SELECT DISTINCT plain FROM users") == [("kept",)]


def test_an_upgrade_that_is_not_one_transaction_puts_back_behind_it(small_chain: Any, backout_server: Server) -> None:
    """Only where nobody can have written: where a new column is NULL or has its default."""
    env = small_chain.root / "alembic" / "env.py"
    env.write_text(env.read_text().replace("=connection)", "=connection, transaction_per_migration=True)"))
    small_chain.add("a1", "op.execute('CREATE TABLE t (id int PRIMARY KEY)')", "op.drop_table('t')")
    small_chain.add(
        "b2",
        "with op.get_context().autocommit_block():\n    op.execute(\"ALTER TABLE t ADD b text DEFAULT 'none'\")",
        "op.execute('ALTER TABLE t DROP b')",
    )
    evidence = {
        "b2": doomed_evidence(
            "b2", ("a1",), ("public.t", "b"), ("column", "public.t.b", None, "text"), transactional=False
        )
    }
    with laboratory(backout_server, Target(small_chain.root / "alembic.ini"), evidence) as lab:
        database = lab.at("b2")
        run(database, "INSERT INTO t VALUES (1, 'kept'), (2, 'kept'), (3, 'kept')")
        roll_back(lab, "b2", database)
        with lab.deployed(database) as deployment, deployment.connect("test") as connection:
            back = salvage.restoration(deployment, lab.revision("b2"), connection)
            assert (back.first, back.last) == ((), ())
            assert lab.worker.step(database, "b2", "upgrade").outcome == "applied"
            run(database, "UPDATE t SET b = 'newer' WHERE id = 1", "UPDATE t SET b = NULL WHERE id = 2")
            with connection.transaction():
                for statement in back.behind:
                    connection.execute(statement.encode())
        assert run(database, "SELECT b FROM t ORDER BY id") == [("newer",), ("kept",), ("kept",)]
        assert left(database) == {"public.t": {"changed since": 1}}


def test_a_large_table_comes_back_at_once(shop: Lab) -> None:
    """Also where single rows are refused: halves are tried, not each row."""
    database = shop.at("tables")
    run(
        database,
        "INSERT INTO users (id, email, state, plain) SELECT n, n, 'new', n FROM generate_series(1, 1000) AS n",
        "INSERT INTO shipments (user_id) SELECT n % 1000 + 1 FROM generate_series(1, 30000) AS n",
    )
    rest = again(shop, "tables", database, "DELETE FROM users WHERE id = 7")
    assert rest == {"public.shipments": {"a foreign key would break: shipments_user_id_fkey": 30}}
    assert run(database, "SELECT count(*), count(DISTINCT user_id) FROM shipments") == [(29970, 999)]


# -- refusals --------------------------------------------------------------------------------------


def refusals(lab: Lab, name: str, database: Database, **evidence: Any) -> tuple[str, ...]:
    with lab.deployed(database) as deployment, deployment.connect("test", row_security="off") as connection:
        changed = {name: replace(lab.evidence[name], **evidence)}
        return salvage.plan(replace(deployment, evidence=changed), lab.revision(name), connection).refusals


def test_what_cannot_be_kept_is_refused_before_anything_is_touched(shop: Lab) -> None:
    database = shop.at("columns")
    downgrade = shop.evidence["columns"].downgrade
    assert refusals(shop, "columns", database) == ()
    assert refusals(shop, "columns", database, downgrade=replace(downgrade, transactional=False)) == (
        "the downgrade of columns is not one transaction, so that nothing can be kept together with it",
    )
    assert refusals(shop, "columns", database, downgrade=replace(downgrade, outcome="failed", error="42P01 x")) == (
        "the downgrade of columns failed in the rehearsal: 42P01 x",
    )
    assert refusals(shop, "columns", database, rollback="unproven") == (
        "what columns loses is not proved: not all of it could be measured",
    )
    gone = shop.evidence["columns"].loss.lived_in
    assert refusals(shop, "columns", database, loss=Losses(gone, gone, ()))[0].startswith(
        'there is nothing to keep: "Größe"."Kunden""liste"."E-Mail %s :x", '
    )
    with shop.deployed(database) as deployment, deployment.connect("test") as connection:
        stale = replace(deployment, evidence={}, stale=frozenset({"columns"}))
        missing = replace(deployment, evidence={})
        found = [salvage.plan(one, shop.revision("columns"), connection).refusals for one in (stale, missing)]
    assert found == [
        ("what columns loses is not known: its evidence is of other files; measure it: backout rehearse",),
        ("what columns loses is not known: there is no evidence of it; measure it: backout rehearse",),
    ]


def test_what_needs_no_salvage_is_told_apart(shop: Lab) -> None:
    database = shop.at("index")
    gone = (Loss("public.users", "note", 5, 8, ("a", "b"), (3, 3)),)
    lower = replace(shop.evidence["index"], loss=Losses(gone, gone, ()))
    with shop.deployed(database) as deployment, deployment.connect("test") as connection:
        nothing = salvage.plan(deployment, shop.revision("index"), connection)
        thrown = salvage.plan(replace(deployment, evidence={"index": lower}), shop.revision("index"), connection)
    assert nothing == Plan("index", (), needed=False)
    assert thrown == Plan(
        "index",
        ("there is nothing to keep: public.users.note lost its values when index was applied",),
        needed=False,
    )


def test_a_table_without_a_key(shop: Lab) -> None:
    database = shop.at("columns")
    run(
        database,
        "ALTER TABLE letters DROP CONSTRAINT letters_user_id_fkey",
        "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE",
    )
    assert refusals(shop, "columns", database) == ()  # users.email is one, too
    run(database, "ALTER TABLE users DROP CONSTRAINT users_email_key")
    assert refusals(shop, "columns", database) == (
        (
            "public.users has no key that outlives the downgrade, by which colour, colours, doc, gift, number, padded, "
            "plain, seen, short, size, token could be put back"
        ),
    )


@pytest.fixture
def role(backout_server: Server) -> Iterator[str]:
    """A role that may log in, and nothing else."""
    name = f"keeper_{os.getpid()}"
    with psycopg.connect(backout_server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_what_the_role_may_not(shop: Lab, role: str) -> None:
    database = shop.at("columns")
    run(
        database,
        f"GRANT SELECT ON alembic_version, users, events TO {role}; ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        f'GRANT USAGE ON SCHEMA "Größe" TO {role}; GRANT SELECT ("Land", "Nr") ON "Größe"."Kunden""liste" TO {role}',
    )
    theirs = replace(database, url=psycopg.conninfo.make_conninfo(database.url, user=role))
    hidden = (
        f'the role {role} may not read "E-Mail %s :x", "Ort" of "Größe"."Kunden""liste"',
        f"row security hides rows of public.users from the role {role}",
    )
    assert refusals(shop, "columns", theirs) == (
        f"the role {role} may not create a schema in this database: GRANT CREATE ON DATABASE",
        *hidden,
    )
    run(database, f"CREATE SCHEMA {SCHEMA}")
    assert refusals(shop, "columns", theirs) == (f"the schema {SCHEMA} belongs to another role than {role}", *hidden)
    run(database, f"DROP OWNED BY {role}")


# -- the schema that it is kept in -------------------------------------------------------------------


def test_only_its_owner_sees_what_is_kept(shop: Lab, role: str) -> None:
    database = shop.at("columns")
    run(
        database,
        ANN,
        "UPDATE users SET plain = 'kept'",
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {role}",
        f"ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, {role}",
    )
    roll_back(shop, "columns", database)
    theirs = replace(database, url=psycopg.conninfo.make_conninfo(database.url, user=role))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(theirs, f"SELECT * FROM {SCHEMA}.register")
    granted = """
        SELECT relname FROM pg_class, aclexplode(relacl) AS one
        WHERE relnamespace = 'backout_salvage'::regnamespace AND relkind = 'r' AND grantee <> relowner
        UNION
        SELECT nspname FROM pg_namespace, aclexplode(nspacl)
        WHERE nspname = 'backout_salvage' AND grantee <> nspowner
    """
    assert run(database, granted) == []
    run(database, f"DROP OWNED BY {role}")


def test_autogenerate_sees_nothing_of_it(disposable: Make, environment: dict[str, str]) -> None:
    database = disposable(revision="head", rows="sample")
    run(database, f"CREATE SCHEMA {SCHEMA}", f"CREATE TABLE {SCHEMA}.register (id int)")
    done = subprocess.run(
        [Path(sys.executable).parent / "alembic", "check"],
        cwd=ROOT,
        env={**environment, "DATABASE_URL": database.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "No new upgrade operations detected.\n"), done.stderr


INCLUDE = """
import sqlalchemy
from alembic import context


def include_name(name, type_, parent_names):
    return not (type_ == "schema" and name == "backout_salvage")


engine = sqlalchemy.create_engine(context.config.attributes["url"], poolclass=sqlalchemy.NullPool)
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=sqlalchemy.MetaData(),
        include_schemas=True,
        **context.config.attributes["more"](include_name),
    )
    context.run_migrations()
"""


def test_with_include_schemas_two_lines_leave_it_out(small_chain: Any, disposable: Make) -> None:
    """As ``docs/reference/preview-and-salvage.md`` says."""
    (small_chain.root / "alembic" / "env.py").write_text(INCLUDE)
    page = (ROOT / "docs/reference/preview-and-salvage.md").read_text(encoding="utf-8")
    assert INCLUDE.split("\n\n\n")[1] in page
    database = disposable()
    run(database, f"CREATE SCHEMA {SCHEMA}", f"CREATE TABLE {SCHEMA}.register (id int)")
    run(database, "CREATE TABLE alembic_version (version_num varchar(32))")
    config = Config(small_chain.root / "alembic.ini")
    config.attributes["url"] = database.url.replace("postgresql://", "postgresql+psycopg://")
    config.attributes["more"] = lambda include_name: {}
    with pytest.raises(CommandError, match=r"New upgrade operations detected:.*'remove_table'.*'register'"):
        alembic.check(config)
    config.attributes["more"] = lambda include_name: {"include_name": include_name}
    alembic.check(config)


# -- list and drop -----------------------------------------------------------------------------------


def command(*arguments: str, given: str | None = None) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["salvage", *arguments], input=given)
    return done.exit_code, done.stdout, done.stderr


def test_list_and_drop(shop: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    database = shop.at("columns")
    monkeypatch.setenv("DATABASE_URL", database.url)
    assert command("list") == (0, "nothing is kept\n", "")
    assert command("drop", "columns", "--yes") == (
        2,
        "",
        "error: nothing is kept of columns; backout salvage list shows what is\n",
    )
    run(database, ANN, "UPDATE users SET plain = 'kept'", "INSERT INTO events VALUES (1, '2025-01-01', 'x', 'here')")
    again(shop, "columns", database, "DELETE FROM users WHERE id = 1")
    roll_back(shop, "columns", database)
    code, shown, _ = command("list")
    masked = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC by \w+", "WHEN by WHO", re.sub(r"\d+ kB", "SIZE", shown))
    assert (code, masked) == (0, LISTED)
    assert max(map(len, shown.splitlines())) <= 80
    listed = json.loads(command("list", "--json")[1])
    assert [(one["table"], one["rows"], one["put_back"], one["left"]) for one in listed] == [
        ("public.events", 1, 1, []),
        ("public.users", 3, 2, [{"why": "the row is gone", "rows": 1}]),
        ("public.events", 1, 0, [{"why": None, "rows": 1}]),
        ("public.users", 2, 0, [{"why": None, "rows": 2}]),
    ]
    for arguments in (("drop",), ("drop", "columns", "--all")):
        assert command(*arguments)[0] == 2
    code, shown, error = command("drop", "columns")
    assert (code, error) == (3, "error: nobody can be asked: standard input is no terminal; for scripts: --yes\n")
    assert command("drop", "--all", "--yes") == (
        3,
        "",
        (
            "error: 4 rows of public.users, public.events were not put back, and are nowhere else; look at them first: "
            "backout salvage list; to lose them: --lose-what-is-left\n"
        ),
    )
    apply(shop, "columns", database)
    code, shown, _ = command("drop", "columns", "--yes", "--lose-what-is-left")
    assert (code, shown) == (0, "dropped what columns had kept of events\ndropped what columns had kept of users\n" * 2)
    assert command("list") == (0, "nothing is kept\n", "")
    assert command("drop", "--all", "--yes") == (0, "nothing to drop\n", "")
    assert run(database, "SELECT to_regnamespace('backout_salvage')") == [(None,)]


LISTED = """\
columns events: place
  taken    WHEN by WHO: 1 rows, SIZE
  in       backout_salvage.kept_2
  back     1 rows, with columns
columns users: plain, gift, token, seen, number, colour, colours, short, doc,
  padded, size
  taken    WHEN by WHO: 3 rows, SIZE
  in       backout_salvage.kept_3
  back     2 rows, with columns
  left     1 rows: the row is gone
columns events: place
  taken    WHEN by WHO: 1 rows, SIZE
  in       backout_salvage.kept_5
  left     1 rows: no upgrade has brought back yet what they belong to
columns users: plain, gift, token, seen, number, colour, colours, short, doc,
  padded, size
  taken    WHEN by WHO: 2 rows, SIZE
  in       backout_salvage.kept_6
  left     2 rows: no upgrade has brought back yet what they belong to
"""


def test_dropping_one_revision_leaves_the_others(shop: Lab) -> None:
    database = shop.at("tables")
    run(database, ANN, "UPDATE users SET plain = 'kept'", "INSERT INTO filled VALUES ('AT', 'x')")
    roll_back(shop, "tables", database)
    roll_back(shop, "columns", database)
    with psycopg.connect(database.url, autocommit=True) as connection:
        with pytest.raises(ConfigurationError):
            salvage.drop(connection, "other")
        with pytest.raises(Refused):
            salvage.drop(connection, "tables")
        dropped = salvage.drop(connection, "tables", lose_what_is_left=True)
        assert [one.table for one in dropped] == ["public.filled"]
        assert {one.revision for one in salvage.contents(connection)} == {"columns"}
    apply(shop, "columns", database)
    assert run(database, "SELECT DISTINCT plain FROM users") == [("kept",)]


# -- faults ----------------------------------------------------------------------------------------


WAIT = "SELECT pg_sleep(60)"


def both_or_neither(database: Database, before: rows.Values) -> str:
    """Either nothing was changed, or it is rolled back and everything is kept."""
    ((version,),) = run(database, "SELECT version_num FROM alembic_version")
    if version == "columns":
        assert (values_of(database), run(database, "SELECT to_regclass('backout_salvage.register')")) == (
            before,
            [(None,)],
        )
        return "neither"
    assert version == "shop"
    assert {one.table: one.rows for one in contents(database)} == {
        name: len(found.rows) for name, found in before.tables.items() if name != "public.letters"
    }
    return "both"


def doomed_runner(
    lab: Lab, plan: Plan, database: Database, end: Callable[[psutil.Process], None], *, at: str
) -> StepReport:
    """Run the downgrade with a worker of its own, and end it at a moment."""
    first, last = list(plan.first), list(plan.last)
    if at == "before":
        first.insert(0, WAIT)
    elif at == "during":
        last.append(WAIT)
    hooks = KEPT / "after_commit.py" if at == "after commit" else None
    reports: list[StepReport] = []
    with Worker(replace(Target(KEPT / "alembic.ini"), hooks=hooks), lab.server) as worker:
        worker.load(database)
        known = set(psutil.Process().children(recursive=True))
        assert worker._child is not None
        process = psutil.Process(worker._child._process.pid)
        assert process in known

        def step() -> None:
            reports.append(worker.step(database, "columns", "downgrade", around=(first, last)))

        thread = threading.Thread(target=step)
        thread.start()
        try:
            wait_until(database, at)
            end(process)
            thread.join(30)
            assert not thread.is_alive()
        finally:
            with suppress(psutil.NoSuchProcess):
                process.kill()
            thread.join()
    return reports[0]


def wait_until(database: Database, at: str) -> None:
    """The step waits there, or has committed."""
    query = (
        f"SELECT pid FROM pg_stat_activity WHERE query = '{WAIT}' AND state = 'active' AND datname = current_database()"
    )
    if at == "after commit":
        query = "SELECT version_num FROM alembic_version WHERE version_num = 'shop'"
    deadline = time.monotonic() + 30
    while not run(database, query):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform == "win32", reason="NOT CHECKED: signals are POSIX's")
@pytest.mark.parametrize(("at", "end"), [("before", "neither"), ("during", "neither"), ("after commit", "both")])
def test_a_runner_killed_around_a_salvage(shop: Lab, at: str, end: str, fault: Fault) -> None:
    times = 3
    for _ in range(times):
        database = shop.at("columns")
        before = fill(shop, "columns", database)
        with shop.deployed(database) as deployment, deployment.connect("test") as connection:
            plan = salvage.plan(deployment, shop.revision("columns"), connection)
        report = doomed_runner(shop, plan, database, lambda process: process.send_signal(signal.SIGKILL), at=at)
        assert report.outcome == "died"
        assert both_or_neither(database, before) == end
        if end == "neither":
            assert again(shop, "columns", database) == {}
        else:
            apply(shop, "columns", database)
        assert lost(database, before) == ()
    fault("runner killed (SIGKILL) around a rollback with salvage", times, "rolled back and kept, or neither", 0)


@pytest.mark.parametrize("at", ["before", "during"])
def test_a_connection_cut_around_a_salvage(shop: Lab, at: str, fault: Fault) -> None:
    times = 3

    def cut(_process: psutil.Process) -> None:
        run(
            database,
            f"""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query = '{WAIT}' AND datname = current_database()""",
        )

    for _ in range(times):
        database = shop.at("columns")
        before = fill(shop, "columns", database)
        with shop.deployed(database) as deployment, deployment.connect("test") as connection:
            plan = salvage.plan(deployment, shop.revision("columns"), connection)
        report = doomed_runner(shop, plan, database, cut, at=at)
        assert report.outcome == "failed"
        assert both_or_neither(database, before) == "neither"
        assert again(shop, "columns", database) == {}
        assert lost(database, before) == ()
    fault("connection cut in a rollback with salvage", times, "nothing was changed", 0)


@pytest.fixture
def full_disk(shop: Lab, tmp_path: Path) -> Iterator[str]:
    """A tablespace on a disk of two megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("NOT CHECKED: a disk of its own is mounted by root, on Linux")
    ((directory,),) = run(shop.at("shop"), "SHOW data_directory")
    owner = Path(directory).stat()
    place = Path(directory).with_name(f"small_{os.getpid()}")
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size=2m,uid={owner.st_uid},gid={owner.st_gid},mode=700", "tmpfs", place],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        if mounted.returncode:
            pytest.skip(f"NOT CHECKED: no disk can be mounted here: {mounted.stderr.strip()}")
        name = f"small_{os.getpid()}"
        with psycopg.connect(shop.server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(sql.Identifier(name), str(place)))
            yield name
            shop.drop()
            connection.execute(sql.SQL("DROP TABLESPACE {}").format(sql.Identifier(name)))
    finally:
        if not mounted.returncode:
            subprocess.run(["umount", place], check=True)
        place.rmdir()


def test_a_disk_that_is_full_during_a_salvage(shop: Lab, full_disk: str, fault: Fault) -> None:
    times = 3
    for _ in range(times):
        database = shop.at("columns")
        run(
            database,
            """INSERT INTO users (id, email, state, plain)
               SELECT n, n, 'new', (SELECT string_agg(md5(n::text || m), '') FROM generate_series(1, 40) AS m)
               FROM generate_series(1, 5000) AS n""",
        )
        before = values_of(database)
        with shop.deployed(database) as deployment, deployment.connect("test") as connection:
            plan = salvage.plan(deployment, shop.revision("columns"), connection)
        report = shop.worker.step(
            database, "columns", "downgrade", around=(plan.first, plan.last), settings={"default_tablespace": full_disk}
        )
        assert report.failure is not None
        assert (report.outcome, report.failure.sqlstate) == ("failed", "53100"), report.failure  # disk full
        assert both_or_neither(database, before) == "neither"
        assert again(shop, "columns", database) == {}  # where there is room
        assert lost(database, before) == ()
    fault("disk full during salvage", times, "nothing was changed", 0)
