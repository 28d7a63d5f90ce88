"""varchar, widened

Revision ID: varchar_widened
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "varchar_widened"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "phone", type_=sa.String(80))


def downgrade() -> None:
    op.alter_column("customers", "phone", type_=sa.String(40))
