"""char to text

Revision ID: char_to_text
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "char_to_text"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "country", type_=sa.Text())


def downgrade() -> None:
    op.alter_column("customers", "country", type_=sa.CHAR(2))
