"""the downgrade builds the type anew

Revision ID: rebuilt
Revises: shop
"""

from alembic import op

revision = "rebuilt"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payment_state ADD VALUE 'charged_back'")


def downgrade() -> None:
    op.alter_column("payments", "state", server_default=None)
    op.execute("ALTER TYPE payment_state RENAME TO payment_state_before")
    op.execute("CREATE TYPE payment_state AS ENUM ('open', 'settled', 'refused')")
    op.execute("ALTER TABLE payments ALTER COLUMN state TYPE payment_state USING state::text::payment_state")
    op.alter_column("payments", "state", server_default="open")
    op.execute("DROP TYPE payment_state_before")
