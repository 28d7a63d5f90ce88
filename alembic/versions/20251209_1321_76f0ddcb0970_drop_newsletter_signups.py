"""drop newsletter_signups

Why:
    The newsletter moved to a mailing service in November, and the addresses with it. Keeping a copy
    that nobody reads is a liability.
Data loss:
    newsletter_signups: every row, for good.
Rollback plan:
    The downgrade creates the table again, empty. If the addresses are needed, export them from the
    mailing service, or restore the table from a backup taken before the deploy.

Revision ID: 76f0ddcb0970
Revises: 3263c0e46dff
Create Date: 2025-12-09 13:21:07.790546+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "76f0ddcb0970"
down_revision = "3263c0e46dff"
branch_labels = None
depends_on = None

# backout: accept dropped-table-comes-back-empty: the newsletter has ended; the list was exported, and must go


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("newsletter_signups")


def downgrade() -> None:
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
