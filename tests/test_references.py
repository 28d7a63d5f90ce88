"""backout.references: inline code that names something, and one-word changes of it that name nothing."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from backout.pages import parse_page
from backout.postgres import Server
from backout.references import Surroundings, unresolved
from backout.repository import repository_files

ROOT = Path(__file__).parents[1]
NOTHING = (
    "names nothing: no block of the page shows it, no file of the repository has it, it is no SQL word, "
    "command or database object; mend it, or give the reason under `names:` in the front matter"
)
NO_FILE = "is no file or directory of the repository"
NO_OPTION = "is no option of a command that this site uses"
ALEMBIC = (
    "is no command of alembic; it knows branches, check, current, downgrade, edit, ensure_version, heads, history, "
    "init, list_templates, merge, revision, show, stamp, upgrade"
)
BLOCKS = """
```bash
echo "shown here" | grep shown_in_a_block
```
<!-- output -->
```text
printed here
```
"""


@pytest.fixture(scope="module")
def files() -> tuple[Path, ...]:
    return tuple(repository_files(ROOT))


@pytest.fixture
def problems(
    files: tuple[Path, ...], backout_server: Server, disposable: Callable[..., Any]
) -> Iterator[Callable[..., list[str]]]:
    """What is wrong with a page, in this repository and on its schema."""
    database = disposable(revision="head")
    path = backout_server.environment(database).get("PATH", os.environ["PATH"])
    with psycopg.connect(database.url, autocommit=True) as connection:
        at = Surroundings(
            root=ROOT,
            files=files,
            query=lambda sql: [str(row[0]) for row in connection.execute(sql)],  # type: ignore[call-overload]
            path=os.pathsep.join([str(Path(sys.executable).parent), path]),
        )
        yield lambda text: unresolved(parse_page(text, "docs/page.md"), at)


# Each kind: what is right, and what one changed word makes of it.
RIGHT = [
    # targets and variables of the Makefile
    "make", "make migrate-up", "make migrate-down-one CONFIRM=yes", "make -n migrate-up", "make <target>",
    'make migrate-create MESSAGE="add users.nickname"',
    # alembic
    "alembic upgrade head", "alembic upgrade +1", "alembic downgrade -1", "alembic downgrade base",
    "alembic upgrade 7f544264830f", "alembic upgrade 7f54:head --sql", "alembic downgrade REVISION",
    "alembic stamp head",
    "alembic downgrade 7f544264830f-1", "alembic -x key=value upgrade heads", "alembic -c alembic.ini current",
    "alembic history -r base:head", "alembic revision --autogenerate -m 'add a table'", "alembic show <revision>",
    "alembic check", "alembic --help", "7f544264830f",
    # backout and the programs of PostgreSQL
    "backout postgres -- psql", "backout postgres --revision head --sample", "backout --help",
    "psql --no-psqlrc", "psql -X -v ON_ERROR_STOP=1", "pg_dump --format=custom", "pg_restore --clean --if-exists",
    "pytest docs/glossary.md -k names", "pytest --skip-unchanged", "--autogenerate", "--format=custom", "-X",
    "git commit -m x", "git", "source .venv/bin/activate",
    "backout run multiple-heads --env staging", "backout run RUNBOOK --env NAME",
    "backout run runbooks/multiple-heads.md --env staging",
    # files
    "docs/glossary.md", "glossary.md", "../runbooks/README.md", "alembic/env.py", "env.py", "docs/", "src/backout",
    "docs/*.md", "alembic/versions/*.py", "docs/<page>.md", "docs/….md", "build/run.json", "docs/glossary.md#check",
    # tables, columns, constraints; also what only an older revision has
    "users", "users.email", "public.users", "uq_users_email", "pg_catalog.pg_class", "pg_stat_activity.state",
    "users.legacy_password_hash", "newsletter_signups.email", "subscriptions.price", "alembic_version",
    # SQL and SQLSTATEs
    "SELECT", "SELECT count(*) FROM users", "ALTER TABLE users ADD COLUMN email text", "CREATE INDEX CONCURRENTLY",
    "lock_timeout", "SET lock_timeout = '5s'", "ACCESS EXCLUSIVE", "UPDATE users SET email = lower(email)", "now()",
    "22012", "42P01", "DROP TABLE IF EXISTS users", "FOR UPDATE", "IS DISTINCT FROM", "users.email IS NULL",
    "ALTER TABLE <table> ADD COLUMN", "ON DELETE CASCADE",
    # variables and names in code; what the page itself shows; programs
    "DATABASE_URL", "$DATABASE_URL", "op.create_table", "sa.Column", "shown here", "shown_in_a_block",
    "printed here", "bash", "page.1",
]  # fmt: skip
WRONG = [
    ("make migrate-upp", "names no target of the Makefile: there is no migrate-upp"),
    ("make tset", "names no target of the Makefile: there is no tset"),
    ("make migrate-up sampel", "names no target of the Makefile: there is no sampel"),
    ("make migrate-down-one CONFRIM=yes", "sets CONFRIM, which the Makefile does not use"),
    ("alembic upgrde head", ALEMBIC),
    ("alembic shw heads", ALEMBIC),
    ("alembic -x key=value upgade head", ALEMBIC),
    ("alembic upgrade haed", "names haed, which is no revision of the chain"),
    ("alembic upgrade heads2", "names heads2, which is no revision of the chain"),
    ("alembic downgrade bsae", "names bsae, which is no revision of the chain"),
    ("alembic upgrade 7f544264830e", "names 7f544264830e, which is no revision of the chain"),
    ("alembic upgrade 7f544264830e-1", "names 7f544264830e-1, which is no revision of the chain"),
    ("alembic upgrade 0000:head", "names 0000:head, which is no revision of the chain"),
    ("alembic show 7f55", "names 7f55, which is no revision of the chain"),
    ("alembic revision --autogenrate", "has an option that alembic revision does not know: --autogenrate"),
    ("alembic upgrade head --sqll", "has an option that alembic upgrade does not know: --sqll"),
    ("alembic --hepl", "has an option that alembic does not know: --hepl"),
    ("7f544264830e", "is no revision of the chain"),
    ("backout postgers --sample", "is no command of backout: postgers"),
    ("backout postgres --revison head", "has an option that backout does not know: --revison"),
    ("backout run multiple-haeds --env staging", "names no runbook of the repository: multiple-haeds"),
    ("backout run multiple-heads --from-step 2", "does not say where: backout run takes --env NAME"),
    ("backout --hepl", "has an option that backout does not know: --hepl"),
    ("psql --no-psqlrcs", "has an option that psql does not know: --no-psqlrcs"),
    ("pg_dump --fromat=custom", "has an option that pg_dump does not know: --fromat"),
    ("pg_dmp --format=custom", NOTHING),
    ("pytest docs/glosary.md", "names docs/glosary.md, which is no file of the repository"),
    ("pytest --skip-unchangd", "has an option that pytest does not know: --skip-unchangd"),
    ("git comit -m x", "is no command of git: comit"),
    ("source .env/bin/activate", "names .env/bin/activate, which is no file of the repository"),
    ("--autogenrate", NO_OPTION),
    ("--formt=custom", NO_OPTION),
    ("docs/db-migration.md", NO_FILE),
    ("dosc/glossary.md", NO_FILE),
    ("glosary.md", NO_FILE),
    ("alembic/versons/*.py", NO_FILE),
    ("doc/<page>.md", NO_FILE),
    ("docs/<page>.mdx", NO_FILE),
    ("env.pyy", NOTHING),
    ("src/backot", NO_FILE),
    ("/", NO_FILE),
    ("a**b/c", NO_FILE),
    ("https://example.com/", NO_FILE),
    ("/etc/passwd", NO_FILE),
    ("userss", NOTHING),
    ("users.emial", NOTHING),
    ("user.email", NOTHING),
    # each word exists, and not together
    ("users.title", NOTHING),
    ("sessions.email", NOTHING),
    ("users.token_hash", NOTHING),
    ("newsletter_signups.display_name", NOTHING),
    ("public.usres", NOTHING),
    ("public.users.emial", NOTHING),
    ("uq_user_email", NOTHING),
    ("SELECT count(*) FROM user", NOTHING),
    ("SELECT count(*) FROM usres", NOTHING),
    ("SELEC count(*) FROM users", NOTHING),
    ("INSERT INTO user VALUES (1)", NOTHING),
    ("UPDATE user SET email = lower(email)", NOTHING),
    ("ALTER TABLE user ADD COLUMN email text", NOTHING),
    ("DROP TABLE IF EXISTS user", NOTHING),
    ("users.emial IS NULL", NOTHING),
    ("users.title IS NULL", NOTHING),
    ("CREATE INDEX CONCURENTLY", NOTHING),
    ("lock_timout", NOTHING),
    ("SET lock_timout = '5s'", NOTHING),
    ("ACCESS EXCLUSIV", NOTHING),
    ("22013x", NOTHING),
    ("42P99", NOTHING),
    ("DATABASE_URI", NOTHING),
    ("$DATABASE_URLS", NOTHING),
    ("op.create_tabel", NOTHING),
    ("shown her", NOTHING),
    ("printed there", NOTHING),
    ("bashh", NOTHING),
    ("page.3", NOTHING),
]


def test_what_names_something(problems: Callable[..., list[str]]) -> None:
    text = "# Page\n\n" + "".join(f"`{name}`\n" for name in RIGHT) + BLOCKS
    assert problems(text) == []


def test_what_names_nothing(problems: Callable[..., list[str]]) -> None:
    text = "# Page\n\n" + "".join(f"`{name}`\n" for name, _ in WRONG) + BLOCKS
    assert problems(text) == [
        f"docs/page.md:{number}: `{name}` {problem}" for number, (name, problem) in enumerate(WRONG, start=3)
    ]


def test_a_name_with_a_reason(problems: Callable[..., list[str]]) -> None:
    front = "---\nnames: {pg_repack --table: an extension that is not installed}\n---\n"
    text = front + "`pg_repack --table` and `pg_repack`\n"
    assert problems(text) == [f"docs/page.md:4: `pg_repack` {NOTHING}"]


REVISION = """
from alembic import op
import sqlalchemy as sa
revision = "custom-1"
def upgrade():
    op.create_table("old", sa.Column("made", sa.Text), sa.Column("id", sa.Integer))
    op.add_column("other", sa.Column("added", sa.Text))
    op.drop_column("other", "dropped")
    with op.batch_alter_table("batched") as batch:
        batch.add_column(sa.Column("in_batch", sa.Text))
        batch.drop_column("out_of_batch")
    op.execute("UPDATE other SET written = 'x' WHERE read IS NULL")
"""


def test_columns_of_older_revisions_go_with_their_own_table(tmp_path: Path) -> None:
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    (tmp_path / "alembic" / "versions" / "1.py").write_text(REVISION)
    (tmp_path / "Makefile").write_text("one two: three\n\ttrue\nname := x\nurl ?= http://x\n")
    at = Surroundings(tmp_path, (Path("alembic/versions/1.py"),), lambda sql: [], os.environ["PATH"])

    def wrong(*names: str) -> list[str]:
        page = parse_page("".join(f"`{name}`\n" for name in names), "page.md")
        return [problem.split("`")[1] for problem in unresolved(page, at)]

    right = ["old.made", "other.added", "other.dropped", "batched.in_batch", "batched.out_of_batch", "other.written",
             "other.read", "make one", "make two", "alembic upgrade custom-1", "alembic upgrade cust"]  # fmt: skip
    assert wrong(*right) == []
    crossed = ["old.added", "other.made", "batched.dropped", "other.in_batch", "old.written", "make three", "make name",
               "make url", "alembic upgrade costum-1", "alembic upgrade cus"]  # fmt: skip
    assert wrong(*crossed) == crossed
