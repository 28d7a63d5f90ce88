"""create suppliers

Whatever locks its index and its constraints take, nobody knows the table yet.

Revision ID: harmless
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "harmless"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "suppliers",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rating", sa.SmallInteger()),
    )
    op.create_index("suppliers_name_idx", "suppliers", ["name"], unique=True)
    op.create_check_constraint("suppliers_rating_check", "suppliers", "rating BETWEEN 1 AND 5")
    op.execute("INSERT INTO suppliers (name) VALUES ('ours')")


def downgrade() -> None:
    op.drop_table("suppliers")
