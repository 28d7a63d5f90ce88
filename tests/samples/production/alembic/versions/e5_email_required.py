"""require people.email, which fails where one is missing, with half of its work done

Data loss:
    people.verified: every value.
Rollback plan:
    Allows people without an address again.
"""

from alembic import op

revision = "e5"
down_revision = "d4"
branch_labels = None
depends_on = None

# backout: accept not-null-scans: there are a dozen people


def upgrade() -> None:
    op.execute("ALTER TABLE people ADD COLUMN verified boolean NOT NULL DEFAULT false")
    op.execute("ALTER TABLE people ALTER COLUMN email SET NOT NULL")


def downgrade() -> None:
    op.execute("ALTER TABLE people ALTER COLUMN email DROP NOT NULL")
    op.execute("ALTER TABLE people DROP COLUMN verified")
