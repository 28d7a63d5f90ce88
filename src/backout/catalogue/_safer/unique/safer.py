"""make customers unique by id and country

So that addresses can refer to both. The index is built concurrently; making a constraint of it takes an
instant.

Revision ID: safer
Revises: shop
"""

from alembic import op

revision = "safer"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "customers_id_country_key", "customers", ["id", "country"], unique=True, postgresql_concurrently=True
        )
    op.execute(
        "ALTER TABLE customers ADD CONSTRAINT customers_id_country_key UNIQUE USING INDEX customers_id_country_key"
    )


def downgrade() -> None:
    op.drop_constraint("customers_id_country_key", "customers")
