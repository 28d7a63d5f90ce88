"""violates"""

import sqlalchemy as sa
from alembic import op

revision = "violates"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE parents (id int CONSTRAINT only_small CHECK (id < 10), code text CONSTRAINT codes UNIQUE)")
    op.execute("INSERT INTO parents VALUES (1, 'a')")
    op.execute(sa.text("INSERT INTO parents VALUES (:id, :code)").bindparams(id=2, code="a"))


def downgrade() -> None:
    pass
