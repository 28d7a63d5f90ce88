"""everything"""

from alembic import op
from app.models import metadata

revision = "everything"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
