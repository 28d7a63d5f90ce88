"""split reviews.author into first and last name

Revision ID: unsafe
Revises: shop
"""

import sqlalchemy as sa
from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reviews", sa.Column("first_name", sa.Text()))
    op.add_column("reviews", sa.Column("last_name", sa.Text()))
    op.execute("UPDATE reviews SET first_name = split_part(author, ' ', 1), last_name = split_part(author, ' ', 2)")
    op.drop_column("reviews", "author")


def downgrade() -> None:
    op.add_column("reviews", sa.Column("author", sa.Text()))
    op.execute("UPDATE reviews SET author = concat_ws(' ', first_name, last_name)")
    op.drop_column("reviews", "last_name")
    op.drop_column("reviews", "first_name")
