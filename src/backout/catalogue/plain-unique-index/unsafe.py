"""make customers unique by id and country

So that addresses can refer to both.

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("customers_id_country_idx", "customers", ["id", "country"], unique=True)


def downgrade() -> None:
    op.drop_index("customers_id_country_idx", table_name="customers")
