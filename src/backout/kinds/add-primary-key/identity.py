"""a new identity column

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
    op.add_column("reviews", sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True))


def downgrade() -> None:
    op.drop_column("reviews", "id")
