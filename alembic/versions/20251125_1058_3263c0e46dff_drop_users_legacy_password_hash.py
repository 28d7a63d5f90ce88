"""drop users.legacy_password_hash

Why:
    The closed beta's passwords (bcrypt) were accepted until 31 October. Who had not signed in by then
    was sent a link to choose a new one; the old hashes are a liability. No release since 18 November
    reads the column: deploy first, then migrate.
Data loss:
    users.legacy_password_hash: every value, for good.
Rollback plan:
    The downgrade adds the column again, empty, which is enough for the previous release to run; nobody
    can sign in with a beta password. If the hashes themselves are needed, restore a backup taken
    before the deploy beside the database and copy the column from it, by id.

Revision ID: 3263c0e46dff
Revises: 600767440eda
Create Date: 2025-11-25 10:58:22.034791+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "3263c0e46dff"
down_revision = "600767440eda"
branch_labels = None
depends_on = None

# backout: accept dropped-column-comes-back-empty: the hashes are a liability; that they are gone is the purpose


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_column("users", "legacy_password_hash")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("users", sa.Column("legacy_password_hash", sa.String(60), comment="bcrypt, from the closed beta"))
