"""fill orders.currency

In batches, each with a commit of its own. It can be stopped and run again at any time.

Revision ID: safer_2
Revises: safer_1
"""

import sqlalchemy as sa
from alembic import op

revision = "safer_2"
down_revision = "safer_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    batch = sa.text(
        """
        UPDATE orders SET currency = 'EUR'
        WHERE id IN (SELECT id FROM orders WHERE currency IS NULL LIMIT 1000 FOR UPDATE SKIP LOCKED)
        """
    )
    with op.get_context().autocommit_block():
        while op.get_bind().execute(batch).rowcount:
            pass


def downgrade() -> None:
    # What is filled stays filled, which harms nobody.
    pass
