"""exits"""

import sys

from alembic import op

revision = "exits"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    sys.exit("that is enough")


def downgrade() -> None:
    pass
