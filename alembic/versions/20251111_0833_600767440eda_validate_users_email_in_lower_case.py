"""validate users.email in lower case

Why:
    Checks the rows from before b1fc786cd0bc, while writers go on. Fails, and changes nothing, if the
    import script has left capitals. To mend them:
    UPDATE users SET email = lower(email) WHERE email <> lower(email)
Rollback plan:
    Does nothing. A constraint left validated is in nobody's way.

Revision ID: 600767440eda
Revises: b1fc786cd0bc
Create Date: 2025-11-11 08:33:59.523174+00:00
"""

from alembic import op

revision = "600767440eda"
down_revision = "b1fc786cd0bc"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE users VALIDATE CONSTRAINT ck_users_email_lower_case")


def downgrade() -> None:
    pass
