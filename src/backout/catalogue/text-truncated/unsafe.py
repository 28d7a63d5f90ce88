"""limit products.description to 40 characters

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
        "products",
        "description",
        type_=sa.String(40),
        existing_type=sa.Text(),
        postgresql_using="left(description, 40)",
    )


def downgrade() -> None:
    op.alter_column("products", "description", type_=sa.Text(), existing_type=sa.String(40))
