"""identity, which numbers the rows that are there

Revision ID: identity
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "identity"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reviews", sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False))


def downgrade() -> None:
    op.drop_column("reviews", "id")
