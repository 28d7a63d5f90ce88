"""divide by zero"""

from alembic import op

revision = "unproven"
down_revision = "further"


def upgrade() -> None:
    op.execute("SELECT 1 / 0")


def downgrade() -> None:
    pass
