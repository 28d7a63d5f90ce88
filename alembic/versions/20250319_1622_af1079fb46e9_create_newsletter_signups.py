"""create newsletter_signups

Why:
    The site's footer offers a newsletter to people who are not users yet.
Rollback plan:
    Drops the table, with every address that was entered since. Export it first:
    COPY newsletter_signups TO STDOUT WITH (FORMAT csv, HEADER)

Revision ID: af1079fb46e9
Revises: 1d328675e4f0
Create Date: 2025-03-19 16:22:58.904437+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "af1079fb46e9"
down_revision = "1d328675e4f0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "newsletter_signups",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("source", sa.Text(), comment="the page it was entered on"),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), comment="NULL: the link was not followed yet"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_signups")),
        sa.UniqueConstraint("email", name=op.f("uq_newsletter_signups_email")),
    )


def downgrade() -> None:
    op.drop_table("newsletter_signups")
