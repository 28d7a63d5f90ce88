"""put back by the downgrade

Revision ID: restored
Revises: shop
"""

from alembic import op

revision = "restored"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table_comment("customers", "who has an account", existing_comment="who has ever ordered")


def downgrade() -> None:
    op.create_table_comment("customers", "who has ever ordered", existing_comment="who has an account")
