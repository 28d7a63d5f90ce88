"""add the payment state disputed

Revision ID: unsafe
Revises: shop
"""

from alembic import op

revision = "unsafe"
down_revision = "shop"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE payment_state ADD VALUE 'disputed'")


def downgrade() -> None:
    op.execute("ALTER TABLE payments ALTER COLUMN state DROP DEFAULT")
    op.execute("ALTER TYPE payment_state RENAME TO payment_state_before")
    op.execute("CREATE TYPE payment_state AS ENUM ('open', 'settled', 'refused')")
    op.execute("ALTER TABLE payments ALTER COLUMN state TYPE payment_state USING state::text::payment_state")
    op.execute("DROP TYPE payment_state_before")
    op.execute("ALTER TABLE payments ALTER COLUMN state SET DEFAULT 'open'")
