"""in steps: the rows that were there

Revision ID: in_steps_2
Revises: in_steps_1
"""

from alembic import op

revision = "in_steps_2"
down_revision = "in_steps_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE products SET published_at = listed_at WHERE published_at IS NULL")


def downgrade() -> None:
    pass
