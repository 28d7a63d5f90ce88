"""with rows that the upgrade brings

Revision ID: filled
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "filled"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    countries = op.create_table(
        "countries", sa.Column("code", sa.CHAR(2), primary_key=True), sa.Column("name", sa.Text(), nullable=False)
    )
    op.bulk_insert(countries, [{"code": "AT", "name": "Austria"}, {"code": "DE", "name": "Germany"}])


def downgrade() -> None:
    op.drop_table("countries")
