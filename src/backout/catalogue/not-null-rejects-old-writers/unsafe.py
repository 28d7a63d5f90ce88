"""require a description of products

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
    op.alter_column("products", "description", existing_type=sa.Text(), nullable=False)


def downgrade() -> None:
    op.alter_column("products", "description", existing_type=sa.Text(), nullable=True)
