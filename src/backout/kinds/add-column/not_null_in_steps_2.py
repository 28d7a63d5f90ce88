"""NOT NULL, in steps: the rows that were there

In batches, each committed: nobody waits for long.

Revision ID: not_null_in_steps_2
Revises: not_null_in_steps_1
"""

from alembic import op

revision = "not_null_in_steps_2"
down_revision = "not_null_in_steps_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    with op.get_context().autocommit_block():
        while connection.exec_driver_sql(
            "UPDATE customers SET language = 'de' WHERE id IN "
            "(SELECT id FROM customers WHERE language IS NULL ORDER BY id LIMIT 1000)"
        ).rowcount:
            pass


def downgrade() -> None:
    pass
