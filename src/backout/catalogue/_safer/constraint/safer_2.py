"""check that no quantity is zero

Reads the table, and blocks nobody: only the revision before needed a strong lock.

Revision ID: safer_2
Revises: safer_1
"""

from alembic import op

revision = "safer_2"
down_revision = "safer_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE order_items VALIDATE CONSTRAINT order_items_quantity_not_zero")


def downgrade() -> None:
    # It stays valid, which harms nobody.
    pass
