"""invoices"""

from alembic import op

revision = "invoices"
down_revision = "users"


def upgrade() -> None:
    op.execute("CREATE TABLE invoices (id int)")


def downgrade() -> None:
    op.execute("DROP TABLE invoices")
