"""in steps: VALIDATE

Revision ID: in_steps_2
Revises: in_steps_1
"""

from alembic import op

revision = "in_steps_2"
down_revision = "in_steps_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE reviews VALIDATE CONSTRAINT reviews_product_id_fkey")


def downgrade() -> None:
    pass
