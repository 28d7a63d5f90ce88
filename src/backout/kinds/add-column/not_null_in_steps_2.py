"""NOT NULL, in steps: the rows that were there

No row without a language can come any more. Those that are there are filled in batches, each committed: nobody
waits for long.

Revision ID: not_null_in_steps_2
Revises: not_null_in_steps_1
"""

from alembic import op

revision = "not_null_in_steps_2"
down_revision = "not_null_in_steps_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE customers ADD CONSTRAINT customers_language_set CHECK (language IS NOT NULL) NOT VALID")
    connection = op.get_bind()
    with op.get_context().autocommit_block():
        while connection.exec_driver_sql(
            "UPDATE customers SET language = 'de' WHERE id IN "
            "(SELECT id FROM customers WHERE language IS NULL ORDER BY id LIMIT 1000)"
        ).rowcount:
            pass


def downgrade() -> None:
    op.drop_constraint("customers_language_set", "customers")
