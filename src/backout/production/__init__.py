"""Changes the revision of a database that people use, and says before what that loses.

::

    with open_deployment(target, database_url(), masking) as deployment, journal.create(…) as log:
        apply(deployment, order, log, say)              # what is pending
        roll_back(deployment, order, log, say, revisions=deployment.undone(deployment.current()))

Asks nobody and prints nothing: it refuses, acts when told to, and tells a function; the command line asks.
Alembic itself takes no lock, so that two runners at once collide; here one waits for the other.

Not here: backups (``backups``), runbooks (``operate``). Everything above may import it, and finds all names here. It is
built on ``production.deployment`` (what there is), ``production.drift`` (whether it is what it should be),
``production.preflight`` (the reasons against a change), ``production.runner`` (the change), ``production.preview``
(what a rollback would lose) and ``production.salvage`` (keeping it).
"""

from backout.production.deployment import Deployment, database_url, open_deployment
from backout.production.drift import Drift, find_drift
from backout.production.preflight import CHECKS, FIRM, Limits, Preflight, Refusal
from backout.production.preview import Preview, preview
from backout.production.runner import LOCK_PURPOSE, MIGRATION_LOCK, Order, apply, roll_back
from backout.production.salvage import SCHEMA as SALVAGE_SCHEMA
from backout.production.salvage import Plan as SalvagePlan
from backout.production.salvage import Restoration, Salvage
from backout.production.salvage import contents as salvage_contents
from backout.production.salvage import drop as drop_salvage
from backout.production.salvage import plan as plan_salvage
from backout.production.salvage import restoration as plan_restoration
from backout.production.sentences import conclusion, details, size_of
from backout.production.sentences import to_builtins as preview_values

__all__ = [
    "CHECKS",
    "FIRM",
    "LOCK_PURPOSE",
    "MIGRATION_LOCK",
    "SALVAGE_SCHEMA",
    "Deployment",
    "Drift",
    "Limits",
    "Order",
    "Preflight",
    "Preview",
    "Refusal",
    "Restoration",
    "Salvage",
    "SalvagePlan",
    "apply",
    "conclusion",
    "database_url",
    "details",
    "drop_salvage",
    "find_drift",
    "open_deployment",
    "plan_restoration",
    "plan_salvage",
    "preview",
    "preview_values",
    "roll_back",
    "salvage_contents",
    "size_of",
]
