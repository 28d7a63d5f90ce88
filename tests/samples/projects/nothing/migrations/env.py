"""An env.py that runs no migrations when it is not called as it expects."""

import sys

from alembic import context

if "--really" in sys.argv:
    context.run_migrations()
