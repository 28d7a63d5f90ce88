"""both"""

revision = "both"
down_revision = ("left", "right")


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
