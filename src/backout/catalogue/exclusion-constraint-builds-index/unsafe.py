"""let prices not overlap

Revision ID: unsafe
Revises: before
"""

from alembic import op

revision = "unsafe"
down_revision = "before"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_exclude_constraint("price_periods_valid_excl", "price_periods", ("valid", "&&"), using="gist")


def downgrade() -> None:
    op.drop_constraint("price_periods_valid_excl", "price_periods")
