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
    op.create_unique_constraint("customers_id_country_key", "customers", ["id", "country"])


def downgrade() -> None:
    op.drop_constraint("customers_id_country_key", "customers")
