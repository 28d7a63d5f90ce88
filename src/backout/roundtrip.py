"""The rollback test of the last revision: up, one down, up again, and nothing may differ afterwards.

It only ever migrates a disposable database. How it is compared is ``contents``'. The full experiment, on rows meant to
hurt, is the rehearsal.
"""

from collections.abc import Callable

from backout.configuration import Project
from backout.contents import compare, contents
from backout.errors import BackoutError, Refused
from backout.postgres import is_disposable
from backout.production import current_revisions, describe_rollback, run_alembic


def round_trip(project: Project, url: str, say: Callable[[str], None]) -> None:
    """Apply everything, roll the last revision back, apply it again, and compare.

    :param say: called with a line for each of the five steps.
    :raises Refused: the database is not disposable.
    :raises BackoutError: a step failed, or the final state differs; says in what.
    """
    if not is_disposable(url):
        raise Refused(
            "the rollback test migrates only databases that backout created, and this one is not; for a disposable "
            "one: backout postgres --revision head --sample -- make migrate-test"
        )
    say(f"1/5 current revision: {', '.join(current_revisions(url)) or 'none'}")
    run_alembic(project, "upgrade", "head", quiet=True)
    head = current_revisions(url)
    say(f"2/5 all migrations applied: {', '.join(head)} (head)")
    original = contents(url)
    rollback = describe_rollback(project, url)
    run_alembic(project, "downgrade", f"{rollback.revision}@-1", quiet=True)
    say(f"3/5 rolled back {rollback.revision}: {', '.join(current_revisions(url)) or 'base'}")
    run_alembic(project, "upgrade", "head", quiet=True)
    say(f"4/5 applied again: {', '.join(current_revisions(url))} (head)")
    differences = compare(original, contents(url))
    if differences:
        raise BackoutError(
            f"rolling back {rollback.revision} and applying it again changed the database:\n"
            + "\n".join(f"    {line}" for line in differences)
        )
    rows = sum(map(len, original.rows.values()))
    say(f"5/5 final state matches the original: schema, {rows} rows in {len(original.rows)} tables, sequences")
