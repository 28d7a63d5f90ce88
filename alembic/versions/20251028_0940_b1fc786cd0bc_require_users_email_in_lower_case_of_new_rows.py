"""require users.email in lower case of new rows

Why:
    A second net below the application: an import script still wrote capitals. NOT VALID, so that
    nothing is scanned under the lock; the next revision checks what is there.
Rollback plan:
    Drops the constraint. Nothing is lost.

Revision ID: b1fc786cd0bc
Revises: 4fb2096bbdef
Create Date: 2025-10-28 09:40:16.868052+00:00
"""

from alembic import op

revision = "b1fc786cd0bc"
down_revision = "4fb2096bbdef"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_check_constraint(
        op.f("ck_users_email_lower_case"), "users", "email = lower(email)", postgresql_not_valid=True
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_constraint(op.f("ck_users_email_lower_case"), "users", type_="check")
