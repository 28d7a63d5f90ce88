"""create the schema staging

Revision ID: before
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "before"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA staging")
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text()),
        schema="staging",
    )


def downgrade() -> None:
    op.execute("DROP SCHEMA staging CASCADE")
