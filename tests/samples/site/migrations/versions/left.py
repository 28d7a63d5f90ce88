"""drop customers.note

Data loss:
    customers.note: every value.
Rollback plan:
    None.

Create Date: 2024-02-03 09:00:00
"""

from alembic import op

revision = "left"
down_revision = "trunk"

# backout: accept dropped-column-comes-back-empty: nobody <reads> them
# backout: accept squawk:prefer-robust-stmts: a second try finds it gone


def upgrade() -> None:
    op.execute("ALTER TABLE customers DROP COLUMN note")


def downgrade() -> None:
    op.execute("ALTER TABLE customers ADD COLUMN note text")
