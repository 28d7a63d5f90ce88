"""generated from other columns

Revision ID: generated
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "generated"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "customers", sa.Column("email_domain", sa.Text(), sa.Computed("split_part(email, '@', 2)", persisted=True))
    )


def downgrade() -> None:
    op.drop_column("customers", "email_domain")
