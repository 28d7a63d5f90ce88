"""varchar, narrowed by cutting

Revision ID: varchar_cut
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "varchar_cut"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "phone", type_=sa.String(20), postgresql_using="left(phone, 20)")


def downgrade() -> None:
    op.alter_column("customers", "phone", type_=sa.String(40))
