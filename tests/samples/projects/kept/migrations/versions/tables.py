"""tables of every sort"""

from alembic import op

revision = "tables"
down_revision = "columns"


def upgrade() -> None:
    op.execute(
        """
        CREATE TYPE carrier AS ENUM ('post', 'courier');
        CREATE TABLE shipments (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, carrier carrier, before bigint REFERENCES shipments,
            user_id bigint REFERENCES users DEFERRABLE INITIALLY DEFERRED
        );
        CREATE TABLE a_parcels (
            id serial PRIMARY KEY, shipment_id bigint NOT NULL REFERENCES shipments, weight numeric(8, 3)
        );
        CREATE TABLE without_key (said text, at timestamp);
        CREATE TABLE filled (code char(2) PRIMARY KEY, name text);
        INSERT INTO filled VALUES ('DE', 'Germany'), ('FR', 'France');
        CREATE TABLE logs (id bigint, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE logs_all PARTITION OF logs DEFAULT;
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE logs, filled, without_key, a_parcels, shipments; DROP TYPE carrier")
