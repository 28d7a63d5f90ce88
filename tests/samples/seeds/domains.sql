-- Domains: their checks, over other domains, in arrays, composite types and ranges.
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[^@\s]+@[^@\s]+\.[a-z]{2,}$');
CREATE DOMAIN short_email AS email CHECK (length(VALUE) <= 12);
CREATE DOMAIN positive AS integer NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN percentage AS numeric(5, 2) CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN sha256 AS char(64) CHECK (VALUE ~ '^[0-9a-f]{64}$');
CREATE DOMAIN day_of_week AS smallint CHECK (VALUE IN (1, 2, 3, 4, 5, 6, 7));
CREATE DOMAIN tags AS text[] CHECK (cardinality(VALUE) BETWEEN 1 AND 3);
CREATE DOMAIN settings AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');
CREATE DOMAIN weekday AS date CHECK (extract(isodow FROM VALUE) < 6);
CREATE TYPE contact AS (address email, since weekday, priority integer);
CREATE TABLE members (
    id positive PRIMARY KEY,
    mail email NOT NULL UNIQUE, short_mail short_email UNIQUE, discount percentage, digest sha256 NOT NULL UNIQUE,
    day day_of_week NOT NULL, labels tags NOT NULL, options settings NOT NULL DEFAULT '{}', visits weekday,
    other_mails email[], primary_contact contact, contacts contact[], counts positive,
    bounded percentage CHECK (bounded > 50)
);
