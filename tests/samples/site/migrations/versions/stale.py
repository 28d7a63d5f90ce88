"""shorten customers.name: changed since it was measured"""

from alembic import op

revision = "stale"
down_revision = "newer"


def upgrade() -> None:
    op.execute("ALTER TABLE customers ALTER COLUMN name TYPE varchar(5)")


def downgrade() -> None:
    op.execute("ALTER TABLE customers ALTER COLUMN name TYPE varchar(40)")
