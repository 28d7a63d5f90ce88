"""sell in Austria by default

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
    op.alter_column("customers", "country", existing_type=sa.CHAR(2), server_default="AT")


def downgrade() -> None:
    op.alter_column("customers", "country", existing_type=sa.CHAR(2), server_default=None)
