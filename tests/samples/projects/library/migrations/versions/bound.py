"""Change rows by values that are bound, which each driver writes its own way"""

import sqlalchemy as sa
from alembic import op

revision = "bound"
down_revision = "models"

BOOKS = sa.table("books", sa.column("isbn", sa.String), sa.column("price", sa.Numeric(8, 2)))
AUTHORS = sa.table("authors", sa.column("id", sa.Integer), sa.column("name", sa.String(40)))


def upgrade() -> None:
    op.execute(BOOKS.update().where(BOOKS.c.price < 1).values(isbn=None))
    op.bulk_insert(AUTHORS, [{"id": -1, "name": "Anonymous"}, {"id": -2, "name": "Unknown"}])


def downgrade() -> None:
    op.execute(AUTHORS.delete().where(AUTHORS.c.id.in_([-1, -2])))
