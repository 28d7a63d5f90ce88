"""check that reviews are of products that exist

Revision ID: safer_2
Revises: safer_1
"""

from alembic import op

revision = "safer_2"
down_revision = "safer_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE reviews VALIDATE CONSTRAINT reviews_product_id_fkey")


def downgrade() -> None:
    # It stays valid, which harms nobody.
    pass
