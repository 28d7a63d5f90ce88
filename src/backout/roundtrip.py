"""The rollback test of the last revision: up, one down, up again, and nothing may differ afterwards.

It only ever migrates a disposable database. How it is compared is ``contents``'. The full experiment, on rows meant to
hurt, is the rehearsal.
"""

from collections.abc import Callable

from backout.contents import compare, contents
from backout.errors import BackoutError, Refused
from backout.masking import Masking
from backout.postgres import is_disposable
from backout.production import Deployment, open_deployment
from backout.worker import Direction, Revision, Target

STEP_SECONDS = 3600.0


def round_trip(target: Target, url: str, masking: Masking, say: Callable[[str], None]) -> None:
    """Apply everything, roll the last revision back, apply it again, and compare.

    :param say: called with a line for each of the five steps.
    :raises Refused: the database is not disposable, or which revision is the last is not clear.
    :raises BackoutError: a step failed, or the final state differs; says in what.
    """
    if not is_disposable(url):
        raise Refused(
            "the rollback test migrates only databases that backout created, and this one is not; for a disposable "
            "one: backout postgres --revision head --sample -- make migrate-test"
        )
    with open_deployment(target, url, masking) as deployment:
        say(f"1/5 current revision: {', '.join(deployment.current()) or 'none'}")
        for one in deployment.pending(deployment.current()):
            _step(deployment, one, "upgrade")
        say(f"2/5 all migrations applied: {', '.join(deployment.current())} (head)")
        original = contents(url)
        (last,) = deployment.undone(deployment.current())
        _step(deployment, last, "downgrade")
        say(f"3/5 rolled back {last.id}: {', '.join(deployment.current()) or 'base'}")
        _step(deployment, last, "upgrade")
        say(f"4/5 applied again: {', '.join(deployment.current())} (head)")
    differences = compare(original, contents(url))
    if differences:
        raise BackoutError(
            f"rolling back {last.id} and applying it again changed the database:\n"
            + "\n".join(f"    {line}" for line in differences)
        )
    rows = sum(map(len, original.rows.values()))
    say(f"5/5 final state matches the original: schema, {rows} rows in {len(original.rows)} tables, sequences")


def _step(deployment: Deployment, one: Revision, direction: Direction) -> None:
    report = deployment.worker.step(deployment.real.database, one.id, direction, timeout=STEP_SECONDS)
    if report.failure is not None:
        where = f"{report.failure.where}: " if report.failure.where else ""
        raise BackoutError(f"{where}the {direction} of {one.id} failed: {report.failure.told}")
