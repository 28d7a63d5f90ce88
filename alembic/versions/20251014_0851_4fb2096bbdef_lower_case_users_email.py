"""lower-case users.email

Why:
    People who signed up as Ann@Example.org could not sign in as ann@example.org, and some signed up
    twice. From this release on the application writes addresses in lower case.

    One UPDATE in one transaction: users is small. Fails on uq_users_email, and changes nothing, where
    two users' addresses differ in case only; merge such users first. To find them:
    SELECT lower(email), array_agg(id) FROM users GROUP BY 1 HAVING count(*) > 1
Data loss:
    users.email: which letters of an address were capitals, for good.
Rollback plan:
    The downgrade does nothing, because there is no way back from lower case. The previous release
    works with lower-case addresses, except that somebody may have to type theirs in lower case. If
    the spelling itself is needed, restore a backup taken before the deploy beside the database and
    copy users.email from it.

Revision ID: 4fb2096bbdef
Revises: f90d1fd6d569
Create Date: 2025-10-14 08:51:27.142835+00:00
"""

from alembic import op

revision = "4fb2096bbdef"
down_revision = "f90d1fd6d569"
branch_labels = None
depends_on = None

# backout: accept values-overwritten: nobody needs to know again how an address was typed


def upgrade() -> None:
    op.execute("UPDATE users SET email = lower(email) WHERE email <> lower(email)")


def downgrade() -> None:
    pass
