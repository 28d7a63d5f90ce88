-- Checks of one column and of several; equations; functions; JSON; arrays; either … or.
CREATE FUNCTION is_valid_status(status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT status IN ('draft', 'published', 'gone for ever') $$;
CREATE TABLE single (
    id serial PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('old', 'new', 'other')), status text NOT NULL CHECK (is_valid_status(status)),
    age integer CHECK (age BETWEEN 0 AND 150), code text NOT NULL UNIQUE CHECK (length(code) = 8),
    upper_code varchar(10) NOT NULL CHECK (upper_code = upper(upper_code)), slug text NOT NULL CHECK (slug = lower(slug) AND slug <> ''),
    price numeric(8, 2) NOT NULL CHECK (price > 0), score real CHECK (score >= 0 AND score <= 1), trimmed text NOT NULL CHECK (trimmed = btrim(trimmed) AND length(trimmed) > 2),
    prefix text NOT NULL CHECK (prefix LIKE 'INV-%'), mail text NOT NULL CHECK (position('@' IN mail) > 1), month date NOT NULL CHECK (date_trunc('month', month) = month),
    since date CHECK (since >= '2020-01-01'), document jsonb NOT NULL CHECK (document ? 'name' AND document ? 'size'), list jsonb CHECK (jsonb_typeof(list) = 'array'),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32), tags text[] NOT NULL CHECK (cardinality(tags) = 2), even integer NOT NULL CHECK (even % 2 = 0),
    address inet CHECK (family(address) = 4), flag boolean NOT NULL CHECK (flag), never text CHECK (never IS NOT NULL), bits bit(4) CHECK (bits <> B'0000'),
    zone text NOT NULL CHECK (zone IN ('Europe/Berlin', 'UTC')), span interval CHECK (span > interval '0'), negative integer CHECK (negative < 0),
    multiple numeric CHECK (multiple % 0.25 = 0), not_like text NOT NULL CHECK (not_like NOT LIKE '% %'), one_of_many smallint CHECK (one_of_many = ANY ('{3,5,8}'))
);
-- never-null: public.single.never
-- shows-not: public.single.flag
CREATE TABLE several (
    id serial PRIMARY KEY,
    starts timestamptz NOT NULL, ends timestamptz, CHECK (starts < ends),
    price numeric(8, 2) NOT NULL, quantity integer NOT NULL, total numeric(12, 2) NOT NULL, CHECK (total = price * quantity),
    a integer, b integer, c integer, CHECK (num_nonnulls(a, b, c) = 1),
    kind text NOT NULL, card text, iban text, CHECK ((kind = 'card' AND card IS NOT NULL) OR (kind = 'bank' AND iban IS NOT NULL)),
    low numeric NOT NULL, high numeric NOT NULL, CHECK (low <= high), CHECK (high - low < 100),
    share_1 integer NOT NULL, share_2 integer NOT NULL, CHECK (share_1 + share_2 = 100), CHECK (share_1 >= 0 AND share_2 >= 0),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')), closed_at timestamptz, CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    first_name text, last_name text, CHECK (first_name IS NOT NULL OR last_name IS NOT NULL),
    during tstzrange GENERATED ALWAYS AS (tstzrange(starts, ends)) STORED
);
CREATE TABLE twelve_flags (
    f01 text, f02 text, f03 text, f04 text, f05 text, f06 text, f07 text, f08 text, f09 text, f10 text, f11 text, f12 text,
    CHECK (num_nonnulls(f01, f02, f03, f04, f05, f06, f07, f08, f09, f10, f11, f12) = 1)
);
CREATE TABLE divides (n integer NOT NULL, d integer NOT NULL, CHECK (100 / d > n));
-- unlike: public.twelve_flags.f01, public.twelve_flags.f02, public.twelve_flags.f03, public.twelve_flags.f04, public.twelve_flags.f05, public.twelve_flags.f06, public.twelve_flags.f07, public.twelve_flags.f08, public.twelve_flags.f09, public.twelve_flags.f10, public.twelve_flags.f11, public.twelve_flags.f12
