"""make product and author the key of reviews

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
    op.create_index("reviews_key", "reviews", ["product_id", "author"], unique=True)
    op.execute("ALTER TABLE reviews ADD CONSTRAINT reviews_pkey PRIMARY KEY USING INDEX reviews_key")


def downgrade() -> None:
    op.drop_constraint("reviews_pkey", "reviews")
    op.alter_column("reviews", "author", existing_type=sa.Text(), nullable=True)
