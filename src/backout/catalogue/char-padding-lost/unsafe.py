"""store payments.reference in 40 characters

As the bank's files do.

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
    op.alter_column(
        "payments", "reference", type_=sa.CHAR(40), existing_type=sa.Text(), postgresql_using="reference::character(40)"
    )


def downgrade() -> None:
    op.alter_column("payments", "reference", type_=sa.Text(), existing_type=sa.CHAR(40))
