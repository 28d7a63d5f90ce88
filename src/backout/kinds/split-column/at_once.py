"""at once

Revision ID: at_once
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "at_once"
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
    op.drop_column("payments", "reference")


def downgrade() -> None:
    op.add_column("payments", sa.Column("reference", sa.Text()))
    op.execute("UPDATE payments SET reference = reference_kind || '-' || reference_number")
    op.drop_column("payments", "reference_number")
    op.drop_column("payments", "reference_kind")
