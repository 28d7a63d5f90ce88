"""require a method of all payments

VALIDATE reads the table and blocks nobody. SET NOT NULL then believes the CHECK, and reads nothing.

Revision ID: safer_2
Revises: safer_1
"""

import sqlalchemy as sa
from alembic import op

revision = "safer_2"
down_revision = "safer_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE payments VALIDATE CONSTRAINT payments_method_present")
    op.alter_column("payments", "method", existing_type=sa.Text(), nullable=False)
    op.drop_constraint("payments_method_present", "payments")


def downgrade() -> None:
    op.execute("ALTER TABLE payments ADD CONSTRAINT payments_method_present CHECK (method IS NOT NULL) NOT VALID")
    op.alter_column("payments", "method", existing_type=sa.Text(), nullable=True)
