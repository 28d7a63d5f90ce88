"""unique

Revision ID: unique
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unique"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customers", sa.Column("newsletter_token", sa.Text()))
    op.create_unique_constraint("customers_newsletter_token_key", "customers", ["newsletter_token"])


def downgrade() -> None:
    op.drop_column("customers", "newsletter_token")
