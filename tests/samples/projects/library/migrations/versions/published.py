"""Add books.published with an index that blocks nobody, drop authors.born"""

import sqlalchemy as sa
from alembic import op

revision = "published"
down_revision = "authors"


def upgrade() -> None:
    op.add_column("books", sa.Column("published", sa.Date))
    op.drop_column("authors", "born")
    with op.get_context().autocommit_block():
        op.create_index("ix_books_published", "books", ["published"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_books_published", postgresql_concurrently=True)
    op.add_column("authors", sa.Column("born", sa.Date))
    op.drop_column("books", "published")
