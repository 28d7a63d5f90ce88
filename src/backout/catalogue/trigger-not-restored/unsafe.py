"""let the application count words

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
    op.execute("DROP TRIGGER reviews_words ON reviews")
    op.alter_column("reviews", "words", existing_type=sa.Integer(), comment="counted by the application")


def downgrade() -> None:
    op.alter_column("reviews", "words", existing_type=sa.Integer(), comment=None)
