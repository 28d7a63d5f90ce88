"""columns of every sort"""

from alembic import op

revision = "columns"
down_revision = "shop"


def upgrade() -> None:
    op.execute(
        """
        CREATE TYPE colour AS ENUM ('red', 'green');
        CREATE DOMAIN short AS text CHECK (length(VALUE) < 4000);
        ALTER TABLE users
            ADD plain text, ADD gift boolean NOT NULL DEFAULT false, ADD token uuid NOT NULL DEFAULT gen_random_uuid(),
            ADD seen timestamptz NOT NULL DEFAULT now(), ADD number bigint GENERATED ALWAYS AS IDENTITY,
            ADD colour colour DEFAULT 'red', ADD colours colour[], ADD short short, ADD doc json, ADD padded bpchar,
            ADD size "Größe"."Maß", ADD shout text GENERATED ALWAYS AS (upper(email)) STORED;
        ALTER TABLE "Größe"."Kunden""liste" ADD "E-Mail %s \\:x" text, ADD "Ort" char(10) NOT NULL DEFAULT '?';
        ALTER TABLE events ADD place text;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        ALTER TABLE users
            DROP plain, DROP gift, DROP token, DROP seen, DROP number, DROP colour, DROP colours, DROP short, DROP doc,
            DROP padded, DROP size, DROP shout;
        ALTER TABLE "Größe"."Kunden""liste" DROP "E-Mail %s \\:x", DROP "Ort";
        ALTER TABLE events DROP place;
        DROP TYPE colour;
        DROP DOMAIN short;
        """
    )
