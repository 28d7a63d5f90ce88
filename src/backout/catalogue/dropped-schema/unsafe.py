"""drop the schema staging

Revision ID: unsafe
Revises: before
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP SCHEMA staging CASCADE")


def downgrade() -> None:
    op.execute("CREATE SCHEMA staging")
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("line", sa.Text()),
        schema="staging",
    )
