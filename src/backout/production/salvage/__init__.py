"""Keeps the values that a rollback would lose, and puts them back with the next upgrade.

::

    plan(deployment, revision, connection)          before a downgrade: what is kept, or why it cannot be
    restoration(deployment, revision, connection)   before an upgrade: how it is put back
    contents(connection), drop(connection, …)       what is kept

Both give SQL that runs in the migration's own transaction (``Worker.step(around=…)``): rolled back and kept, or
neither; applied and put back, or neither. A value that was changed since is never written over; what does not fit
stays, with the reason, until somebody drops it.

It is kept in a schema of its own, which is no part of the project's: its owner's only, no drift, and nothing for
Alembic's autogenerate.

``production`` and ``cli`` may import it. Parts: ``taking``, ``restoring``, and ``functions.sql`` for what must be found
out while a migration runs.
"""

from backout.production.salvage.restoring import Left, Restoration, Salvage, contents, drop, restoration
from backout.production.salvage.taking import SCHEMA, Plan, Subject, plan

__all__ = [
    "SCHEMA", "Left", "Plan", "Restoration", "Salvage", "Subject", "contents", "drop", "plan", "restoration",
]  # fmt: skip
