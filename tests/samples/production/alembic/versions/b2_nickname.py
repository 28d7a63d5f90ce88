"""add people.nickname

Data loss:
    people.nickname: every value.
Rollback plan:
    Drops the column.
"""

import sqlalchemy as sa
from alembic import op

revision = "b2"
down_revision = "a1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("people", sa.Column("nickname", sa.Text()))


def downgrade() -> None:
    op.drop_column("people", "nickname")
