"""widen customers.phone

Some have an extension.

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
    op.alter_column("customers", "phone", existing_type=sa.String(40), type_=sa.String(80))


def downgrade() -> None:
    op.alter_column("customers", "phone", existing_type=sa.String(80), type_=sa.String(40))
