"""drop customers.birthday

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
    op.drop_column("customers", "birthday")


def downgrade() -> None:
    op.add_column("customers", sa.Column("birthday", sa.Date()))
