"""the old column stays

Revision ID: old_kept
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "old_kept"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("reference_kind", sa.Text()))
    op.add_column("payments", sa.Column("reference_number", sa.Text()))
    op.execute(
        "UPDATE payments SET reference_kind = split_part(reference, '-', 1), "
        "reference_number = split_part(reference, '-', 2)"
    )


def downgrade() -> None:
    op.drop_column("payments", "reference_number")
    op.drop_column("payments", "reference_kind")
