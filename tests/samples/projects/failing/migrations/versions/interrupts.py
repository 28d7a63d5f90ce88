"""interrupts"""

from alembic import op

revision = "interrupts"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE half (id int)")
    raise KeyboardInterrupt


def downgrade() -> None:
    pass
