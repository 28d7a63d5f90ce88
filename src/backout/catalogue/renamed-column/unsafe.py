"""call authors reviewers

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("reviews", "author", existing_type=sa.Text(), new_column_name="reviewer")


def downgrade() -> None:
    op.alter_column("reviews", "reviewer", existing_type=sa.Text(), new_column_name="author")
