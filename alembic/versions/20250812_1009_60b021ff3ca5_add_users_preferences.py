"""add users.preferences

Why:
    The settings page keeps theme, editor and notification choices with the user, not in the browser.

    Nullable and without a default, so it takes its lock for a moment and touches no row. Releases that
    do not know the column go on as before.
Rollback plan:
    Drops the column, with every choice saved since; nothing from before. Safe as long as
    SELECT count(*) FROM users WHERE preferences IS NOT NULL
    gives 0. Otherwise copy id and preferences elsewhere first.

Revision ID: 60b021ff3ca5
Revises: a2ecca8c13e7
Create Date: 2025-08-12 10:09:31.958243+00:00
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "60b021ff3ca5"
down_revision = "a2ecca8c13e7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "users",
        sa.Column(
            "preferences",
            postgresql.JSONB(),
            comment="choices made on the settings page; NULL: never saved any",
        ),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("users", "preferences")
