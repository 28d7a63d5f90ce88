"""create user_model_preferences

Why:
    Users choose the language model for each type of content, instead of one for everything.
Rollback plan:
    Drops the table, with every choice made since; the application then uses its own defaults.

Revision ID: febdc084cd92
Revises: bcc48110e6e0
Create Date: 2025-07-24 09:55:12.483096+00:00
"""

import sqlalchemy as sa
from alembic import op

revision = "febdc084cd92"
down_revision = "bcc48110e6e0"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "user_model_preferences",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, comment="the model's name in the gateway, e.g. large-2025-06"),
        sa.Column("temperature", sa.Numeric(3, 2), comment="NULL: the model's own default"),
        sa.Column("max_output_tokens", sa.Integer()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "content_type", name=op.f("pk_user_model_preferences")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_model_preferences_user_id_users"), ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "content_type IN ('blog_post', 'newsletter', 'press_release', 'product_page', 'social_post')",
            name=op.f("ck_user_model_preferences_content_type_known"),
        ),
        sa.CheckConstraint("temperature BETWEEN 0 AND 2", name=op.f("ck_user_model_preferences_temperature_range")),
        sa.CheckConstraint("max_output_tokens > 0", name=op.f("ck_user_model_preferences_max_output_tokens_positive")),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_table("user_model_preferences")
