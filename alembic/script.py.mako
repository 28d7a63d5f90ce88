"""${message}

Why:
    REPLACE: what needs this change, and what the application does with it.
Data loss:
    REPLACE: one "table.column: what is lost" a line for each value from before the upgrade that
    upgrading and rolling back destroys. Delete the section if nothing is lost.
Rollback plan:
    REPLACE: what `alembic downgrade` does to rows written in the meantime, what it locks and, if
    something is lost, where it comes back from.

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
