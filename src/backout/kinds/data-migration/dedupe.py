"""duplicates deleted

Revision ID: dedupe
Revises: shop
"""

from alembic import op

revision = "dedupe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "DELETE FROM payments AS twin USING payments AS first "
        "WHERE first.id < twin.id AND first.order_id = twin.order_id AND first.reference = twin.reference"
    )


def downgrade() -> None:
    pass
