"""generated from other columns

Revision ID: generated
Revises: generated_before
"""

import sqlalchemy as sa
from alembic import op

revision = "generated"
down_revision = "generated_before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("products", "gross")


def downgrade() -> None:
    op.add_column("products", sa.Column("gross", sa.Numeric(), sa.Computed("price * 1.19", persisted=True)))
