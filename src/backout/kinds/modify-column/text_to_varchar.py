"""text to varchar

Revision ID: text_to_varchar
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "text_to_varchar"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("orders", "note", type_=sa.String(200))


def downgrade() -> None:
    op.alter_column("orders", "note", type_=sa.Text())
