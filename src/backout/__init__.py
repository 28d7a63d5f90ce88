"""backout: rehearse migrations, run the pages that document them, guard the way back.

Public entry points are the ``backout`` command, the pytest plugin and the MkDocs plugin; the
modules and their layers are drawn in ``docs/architecture.md``.
"""

__version__ = "0.1.0"
