"""write products.weight anew

Into a column of its own, in batches, which then takes the name. It ends in the last place, and stays there
after the downgrade: the order of columns harms nobody.

Revision ID: harmless
Revises: shop
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "harmless"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    batch = sa.text(
        """
        UPDATE products SET weight_anew = weight
        WHERE id IN (SELECT id FROM products WHERE weight_anew IS DISTINCT FROM weight LIMIT 1000)
        """
    )
    with op.get_context().autocommit_block():
        op.add_column("products", sa.Column("weight_anew", postgresql.DOUBLE_PRECISION()))
    with op.get_context().autocommit_block():
        while op.get_bind().execute(batch).rowcount:
            pass
    op.drop_column("products", "weight")
    op.alter_column("products", "weight_anew", existing_type=postgresql.DOUBLE_PRECISION(), new_column_name="weight")


def downgrade() -> None:
    pass
