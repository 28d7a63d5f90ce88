"""merge audit_log and user_model_preferences

Why:
    Two branches added a revision after bcc48110e6e0 in the same week. They touch different tables, so
    their order does not matter; from here on there is one head again.
Rollback plan:
    Changes no schema, so there is nothing to undo. Below this point the chain has two heads: name the
    revision to go back to, `alembic downgrade -1` does not know which branch is meant.

Revision ID: a2ecca8c13e7
Revises: 4b9b7cf145f7, febdc084cd92
Create Date: 2025-07-29 07:36:54.206418+00:00
"""

revision = "a2ecca8c13e7"
down_revision = ("4b9b7cf145f7", "febdc084cd92")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
