"""give products one tag

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "products", "tags", type_=sa.Text(), existing_type=postgresql.ARRAY(sa.Text()), postgresql_using="tags[1]"
    )


def downgrade() -> None:
    op.alter_column(
        "products", "tags", type_=postgresql.ARRAY(sa.Text()), existing_type=sa.Text(), postgresql_using="ARRAY[tags]"
    )
