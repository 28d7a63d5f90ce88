"""widen users.display_name

Why:
    60 characters are too few for some names that identity providers send; sign-ups failed.

    From varchar(60) to varchar(120): only the catalogue changes, no row is read or written.
Rollback plan:
    Narrows the column to varchar(60) again, which rewrites users under ACCESS EXCLUSIVE. Fails, and
    changes nothing, if a name has become longer than that: names are not cut off. To find them:
    SELECT id, display_name FROM users WHERE char_length(display_name) > 60

Revision ID: a6219d533876
Revises: 60b021ff3ca5
Create Date: 2025-09-02 14:17:05.377561+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "a6219d533876"
down_revision = "60b021ff3ca5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.alter_column("users", "display_name", existing_type=sa.String(60), type_=sa.String(120), existing_nullable=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE")
    # PostgreSQL refuses to cut off letters, but cuts off trailing spaces without a word (SQL standard).
    op.execute(
        """
        DO $$
        DECLARE
            longer bigint;
        BEGIN
            SELECT count(*) INTO longer FROM users WHERE char_length(display_name) > 60;
            IF longer > 0 THEN
                RAISE EXCEPTION 'cannot narrow users.display_name to varchar(60): too long in % row(s)', longer
                    USING ERRCODE = 'string_data_right_truncation',
                          HINT = 'Shorten them first, or stay on this revision.';
            END IF;
        END
        $$
        """
    )
    op.alter_column("users", "display_name", existing_type=sa.String(120), type_=sa.String(60), existing_nullable=False)
