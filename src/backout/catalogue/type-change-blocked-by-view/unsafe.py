"""limit names to 200 letters

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
    op.alter_column("customers", "full_name", existing_type=sa.Text(), type_=sa.String(200))


def downgrade() -> None:
    op.alter_column("customers", "full_name", existing_type=sa.String(200), type_=sa.Text())
