"""a label that the way back takes away"""

from alembic import op

revision = "label"
down_revision = "written"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE mood ADD VALUE 'wild'")


def downgrade() -> None:
    op.execute("UPDATE users SET mood = 'calm' WHERE mood = 'wild'")
    op.execute("ALTER TYPE mood RENAME TO mood_before")
    op.execute("CREATE TYPE mood AS ENUM ('calm', 'it''s loud')")
    op.execute("ALTER TABLE users ALTER mood TYPE mood USING mood::text::mood")
    op.execute("DROP TYPE mood_before")
