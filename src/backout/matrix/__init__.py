"""The measured tables of the pages, held against what was measured.

A table is bound by an HTML comment above it, wherever it stands:

* ``<!-- measured: kinds -->``: risk, rollback and a claim for each of the six kinds of the short risk matrix. A claim
  is a sentence that a predicate over the evidence decides; one that is not known here is a fault.
* ``<!-- measured: all kinds -->``: risk, rollback, what is blocked and where the deploy goes, for every kind. A note
  begins with words of its own, if any; the rest of it is measured: why, and every variant for which whoever goes by
  the row would be wrong, with what it is instead.
* ``<!-- measured: lock hazards -->`` and one for each other group of rules: every hazard, its ``unsafe`` and its safer
  way. ``<!-- measured: known hazards -->`` counts what the catalogue has of the list of known hazards, and
  ``<!-- measured: other hazards -->`` tells what it has not.

All from committed evidence: no database is asked. Whoever has none of these tables is not bothered.

Not here: how a table is found, compared and rewritten (``matrix.tables``), what the rows say (``matrix.rows``,
``matrix.hazards``), measuring it (``specimens``), reading pages.
"""

from backout.matrix.hazards import hazard_tables, read_hazard_evidence
from backout.matrix.kinds import load_kinds, read_evidence
from backout.matrix.rows import kind_tables, measured_rows
from backout.matrix.tables import Line, Table, check, has_tables, rewrite
from backout.rules import GROUPS, load_catalogue, load_known

__all__ = ["Line", "Table", "check", "has_tables", "measured_tables", "rewrite"]


def measured_tables() -> tuple[Table, ...]:
    """Every table that a page may bind, as it must be.

    :raises ConfigurationError: the package's own data is not whole.
    """
    kinds, catalogue = load_kinds(), load_catalogue()
    return (
        *kind_tables(measured_rows(kinds, read_evidence(kinds))),
        *hazard_tables(catalogue, GROUPS, load_known(catalogue), read_hazard_evidence(catalogue)),
    )
