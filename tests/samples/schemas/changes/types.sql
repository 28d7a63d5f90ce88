-- case: an enum
-- changes: type public.size
CREATE TYPE public.size AS ENUM ('s', 'm', 'l');
-- back
DROP TYPE public.size;

-- case: an enum without labels
-- changes: type public.void
CREATE TYPE public.void AS ENUM ();
-- back
DROP TYPE public.void;

-- case: an enum label that is left behind
-- changes: type app.mood
-- left: type app.mood
ALTER TYPE app.mood ADD VALUE 'excited' BEFORE 'happy';
-- back

-- case: an enum label is renamed
-- changes: index public.ix_users_mood
-- changes: type app.mood
ALTER TYPE app.mood RENAME VALUE 'sad' TO 'unhappy';
-- back
ALTER TYPE app.mood RENAME VALUE 'unhappy' TO 'sad';

-- case: a composite type
-- changes: type public.point3
CREATE TYPE public.point3 AS (x float8, y float8, z float8);
-- back
DROP TYPE public.point3;

-- case: an attribute
-- changes: column app.typed.country
-- changes: type app.address
ALTER TYPE app.address ADD ATTRIBUTE country char(2) CASCADE;
-- back
ALTER TYPE app.address DROP ATTRIBUTE country CASCADE;

-- case: an attribute of another type
-- changes: column app.typed.floor
-- changes: type app.address
ALTER TYPE app.address ALTER ATTRIBUTE floor TYPE integer CASCADE;
-- back
ALTER TYPE app.address ALTER ATTRIBUTE floor TYPE smallint CASCADE;

-- case: a range type
-- changes: type public.lengths
CREATE TYPE public.lengths AS RANGE (subtype = numeric);
-- back
DROP TYPE public.lengths;

-- case: a domain
-- changes: constraint public.positive.positive_check
-- changes: domain public.positive
CREATE DOMAIN public.positive AS integer CHECK (VALUE > 0);
-- back
DROP DOMAIN public.positive;

-- case: a domain's default
-- changes: domain app.email
ALTER DOMAIN app.email SET DEFAULT 'somebody@example.org';
-- back
ALTER DOMAIN app.email SET DEFAULT 'nobody@example.org';

-- case: a domain that is not null
-- changes: domain app.percent
ALTER DOMAIN app.percent SET NOT NULL;
-- back
ALTER DOMAIN app.percent DROP NOT NULL;

-- case: a domain's check
-- changes: comment constraint app.email.email_has_at
-- changes: constraint app.email.email_has_at
ALTER DOMAIN app.email DROP CONSTRAINT email_has_at;
-- back
ALTER DOMAIN app.email ADD CONSTRAINT email_has_at CHECK (VALUE LIKE '%@%');
COMMENT ON CONSTRAINT email_has_at ON DOMAIN app.email IS 'not more';

-- case: a domain's NOT NULL has a name
-- changes: domain app.percent
-- since: 18
ALTER DOMAIN app.percent ADD CONSTRAINT percent_is_given NOT NULL;
-- back
ALTER DOMAIN app.percent DROP CONSTRAINT percent_is_given;

-- case: a base type
-- changes: function public.word_in(cstring)
-- changes: function public.word_out(public.word)
-- changes: type public.word
CREATE TYPE public.word;
CREATE FUNCTION public.word_in(cstring) RETURNS public.word LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION public.word_out(public.word) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE public.word (INPUT = public.word_in, OUTPUT = public.word_out, CATEGORY = 'A');
-- back
DROP TYPE public.word CASCADE;

-- case: a base type is stored otherwise
-- changes: type app.label
ALTER TYPE app.label SET (STORAGE = external);
-- back
ALTER TYPE app.label SET (STORAGE = extended);

-- case: a type that is only announced
-- changes: type app.shell
DROP TYPE app.shell;
-- back
CREATE TYPE app.shell;

-- case: a type is renamed
-- changes: type app.nothing
-- changes: type app.nothing_yet
ALTER TYPE app.nothing RENAME TO nothing_yet;
-- back
ALTER TYPE app.nothing_yet RENAME TO nothing;

-- case: a cast
-- changes: cast (app.mood AS bigint)
-- changes: index public.ix_users_mood
-- changes: view app.happy_users
CREATE CAST (app.mood AS bigint) WITH INOUT AS IMPLICIT;
-- back
DROP CAST (app.mood AS bigint);

-- case: a cast with a function
-- changes: cast (app.mood AS smallint)
-- changes: function app.as_number(app.mood)
CREATE FUNCTION app.as_number(app.mood) RETURNS smallint LANGUAGE sql IMMUTABLE AS 'SELECT 1::smallint';
CREATE CAST (app.mood AS smallint) WITH FUNCTION app.as_number(app.mood);
-- back
DROP FUNCTION app.as_number(app.mood) CASCADE;

-- case: a cast between types of PostgreSQL
-- changes: cast (bytea AS json)
CREATE CAST (bytea AS json) WITHOUT FUNCTION;
-- back
DROP CAST (bytea AS json);

-- case: a collation
-- changes: collation public.posix
CREATE COLLATION public.posix (provider = libc, locale = 'POSIX');
-- back
DROP COLLATION public.posix;

-- case: a collation is renamed
-- changes: collation app."binary"
-- changes: collation app.bytewise
ALTER COLLATION app.binary RENAME TO bytewise;
-- back
ALTER COLLATION app.bytewise RENAME TO "binary";

-- case: a default conversion
-- changes: conversion app.latin2
CREATE DEFAULT CONVERSION app.latin2 FOR 'LATIN2' TO 'UTF8' FROM iso8859_to_utf8;
-- back
DROP CONVERSION app.latin2;

-- case: a conversion goes
-- changes: conversion app.latin
DROP CONVERSION app.latin;
-- back
CREATE CONVERSION app.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
