"""absent role"""

from alembic import op

revision = "absent_role"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    op.execute("GRANT SELECT ON half TO backout_nobody")


def downgrade() -> None:
    pass
