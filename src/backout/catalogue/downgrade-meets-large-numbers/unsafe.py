"""widen reviews.rating

Percent instead of stars.

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
    op.alter_column("reviews", "rating", existing_type=sa.SmallInteger(), type_=sa.Integer())


def downgrade() -> None:
    op.alter_column("reviews", "rating", existing_type=sa.Integer(), type_=sa.SmallInteger())
