"""make customers.settings jsonb

So that it can be indexed.

Revision ID: unsafe
Revises: shop
"""

from alembic import op
from sqlalchemy.dialects import postgresql

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "customers",
        "settings",
        type_=postgresql.JSONB(),
        existing_type=postgresql.JSON(),
        postgresql_using="settings::jsonb",
    )


def downgrade() -> None:
    op.alter_column(
        "customers",
        "settings",
        type_=postgresql.JSON(),
        existing_type=postgresql.JSONB(),
        postgresql_using="settings::json",
    )
