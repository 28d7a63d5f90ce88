"""varchar to text

Revision ID: varchar_to_text
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "varchar_to_text"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "phone", type_=sa.Text())


def downgrade() -> None:
    op.alter_column("customers", "phone", type_=sa.String(40))
