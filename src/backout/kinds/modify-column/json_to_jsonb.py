"""json to jsonb

Revision ID: json_to_jsonb
Revises: shop
"""

from alembic import op
from sqlalchemy.dialects import postgresql

revision = "json_to_jsonb"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("customers", "settings", type_=postgresql.JSONB(), postgresql_using="settings::jsonb")


def downgrade() -> None:
    op.alter_column("customers", "settings", type_=postgresql.JSON(), postgresql_using="settings::json")
