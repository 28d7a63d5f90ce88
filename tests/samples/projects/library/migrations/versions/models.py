"""Create what the models have and the chain has not, and look at what is there"""

import sqlalchemy as sa
from alembic import op
from library.models import metadata

revision = "models"
down_revision = "published"


def upgrade() -> None:
    assert "books" in sa.inspect(op.get_bind()).get_table_names()
    metadata.create_all(op.get_bind())
    with op.batch_alter_table("authors") as authors:
        authors.alter_column("name", type_=sa.String(40), postgresql_using="left(name, 40)")


def downgrade() -> None:
    op.alter_column("authors", "name", type_=sa.String(60))
