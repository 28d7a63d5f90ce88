"""Changes the revision of a database that people use, and says before what that loses.

::

    with open_deployment(target, database_url(), masking) as deployment, journal.create(…) as log:
        apply(deployment, order, log, say)              # what is pending
        roll_back(deployment, order, log, say, revisions=deployment.undone(deployment.current()))

Asks nobody and prints nothing: it refuses, acts when told to, and tells a function; the command line asks.
Alembic itself takes no lock, so that two runners at once collide; here one waits for the other.

Not here: backups (``backups``), runbooks (``operate``). Everything above may import it, and finds all names here. It is
built on ``production.deployment`` (what there is), ``production.drift`` (whether it is what it should be),
``production.preflight`` (the reasons against a change) and ``production.runner`` (the change).
"""

from backout.production.deployment import Deployment, database_url, open_deployment
from backout.production.drift import Drift, find_drift
from backout.production.preflight import CHECKS, FIRM, Limits, Preflight, Refusal
from backout.production.runner import LOCK_PURPOSE, MIGRATION_LOCK, Around, Order, apply, roll_back

__all__ = [
    "CHECKS",
    "FIRM",
    "LOCK_PURPOSE",
    "MIGRATION_LOCK",
    "Around",
    "Deployment",
    "Drift",
    "Limits",
    "Order",
    "Preflight",
    "Refusal",
    "apply",
    "database_url",
    "find_drift",
    "open_deployment",
    "roll_back",
]
