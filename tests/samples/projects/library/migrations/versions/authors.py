"""Create authors and books"""

import sqlalchemy as sa
from alembic import op

revision = "authors"
down_revision = None

KINDS = sa.Enum("novel", "poetry", name="kind")


def upgrade() -> None:
    op.create_table(
        "authors",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("born", sa.Date),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_table(
        "books",
        sa.Column("id", sa.BigInteger, primary_key=True),
        sa.Column("author_id", sa.Integer, sa.ForeignKey("authors.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", KINDS, nullable=False),
        sa.Column("price", sa.Numeric(8, 2)),
        sa.Column("isbn", sa.String(13), unique=True),
        sa.CheckConstraint("price > 0", name="price_is_positive"),
    )
    op.create_index("ix_books_kind", "books", ["kind", sa.text("price DESC")])


def downgrade() -> None:
    op.drop_table("books")
    op.drop_table("authors")
    KINDS.drop(op.get_bind())
