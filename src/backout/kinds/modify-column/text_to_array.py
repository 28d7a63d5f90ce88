"""text to array

Revision ID: text_to_array
Revises: shop
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "text_to_array"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("payments", "reference", type_=postgresql.ARRAY(sa.Text()), postgresql_using="ARRAY[reference]")


def downgrade() -> None:
    op.alter_column("payments", "reference", type_=sa.Text(), postgresql_using="reference[1]")
