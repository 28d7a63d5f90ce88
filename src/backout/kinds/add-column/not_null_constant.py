"""NOT NULL, with a constant default

Revision ID: not_null_constant
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "not_null_constant"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("wants_mail", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    op.drop_column("customers", "wants_mail")
