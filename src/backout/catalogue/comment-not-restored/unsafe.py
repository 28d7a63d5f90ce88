"""say what nicknames are for

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
    op.alter_column("customers", "nickname", existing_type=sa.Text(), comment="for the app's greeting; may be NULL")


def downgrade() -> None:
    op.alter_column("customers", "nickname", existing_type=sa.Text(), comment=None)
