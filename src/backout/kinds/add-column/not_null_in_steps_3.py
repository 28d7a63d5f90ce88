"""NOT NULL, in steps: the rule

SET NOT NULL need not read the table: the valid check proves it.

Revision ID: not_null_in_steps_3
Revises: not_null_in_steps_2
"""

from alembic import op

revision = "not_null_in_steps_3"
down_revision = "not_null_in_steps_2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE customers VALIDATE CONSTRAINT customers_language_set")
    op.alter_column("customers", "language", nullable=False)
    op.drop_constraint("customers_language_set", "customers")


def downgrade() -> None:
    op.execute("ALTER TABLE customers ADD CONSTRAINT customers_language_set CHECK (language IS NOT NULL) NOT VALID")
    op.alter_column("customers", "language", nullable=True)
