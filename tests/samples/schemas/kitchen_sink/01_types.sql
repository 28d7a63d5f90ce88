-- Schemas, and types of every sort.
CREATE SCHEMA app;
CREATE SCHEMA "Odd Schema";
COMMENT ON SCHEMA app IS 'of the application';

CREATE TYPE app.mood AS ENUM ('happy', 'it''s fine', 'sad');
CREATE TYPE app.nothing AS ENUM ();
CREATE TYPE app.address AS (street text, zip varchar(10) COLLATE "C", floor smallint);
COMMENT ON TYPE app.address IS 'where somebody lives';
COMMENT ON COLUMN app.address.zip IS 'without blanks';
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = app.spans);
CREATE DOMAIN app.email AS text COLLATE "C" DEFAULT 'nobody@example.org' NOT NULL
    CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%');
CREATE DOMAIN app.percent AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
COMMENT ON CONSTRAINT email_has_at ON DOMAIN app.email IS 'not more';
CREATE COLLATION app.binary (provider = libc, locale = 'C');
CREATE CONVERSION app.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

-- A base type of its own, with the functions of text.
CREATE TYPE app.label;
CREATE FUNCTION app.label_in(cstring) RETURNS app.label LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.label_out(app.label) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.label (INPUT = app.label_in, OUTPUT = app.label_out, STORAGE = extended, CATEGORY = 'S',
                       COLLATABLE = true, DELIMITER = ';');
CREATE CAST (app.label AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE TYPE app.shell;
