"""bills name a customer"""

from alembic import op

revision = "further"
down_revision = "apart"
depends_on = "left"


def upgrade() -> None:
    op.execute("ALTER TABLE bills ADD COLUMN customer_id int REFERENCES customers")


def downgrade() -> None:
    op.execute("ALTER TABLE bills DROP COLUMN customer_id")
