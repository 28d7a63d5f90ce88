-- Every label of an enum is in a row, also where there are many, and in arrays and composite types.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'Happy Day', 'it''s "odd"', '');
CREATE TYPE country AS ENUM (
    'AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI', 'FR', 'GR', 'HR', 'HU', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT',
    'NL', 'PL', 'PT', 'RO', 'SE'
);
CREATE TYPE sole AS ENUM ('one');
CREATE SCHEMA "Other";
CREATE TYPE "Other"."Level" AS ENUM ('low', 'high');
CREATE TABLE people (
    id serial PRIMARY KEY, feels mood NOT NULL DEFAULT 'ok', felt mood, lives_in country NOT NULL, moods mood[] NOT NULL,
    single sole, level "Other"."Level" NOT NULL, levels "Other"."Level"[]
);
CREATE TABLE by_mood (feels mood PRIMARY KEY, note text NOT NULL);
CREATE TABLE restricted (feels mood NOT NULL CHECK (feels IN ('sad', 'ok')), felt mood CHECK (felt <> 'ok'));
-- shows-not: public.restricted.feels, public.restricted.felt
-- rows: public.by_mood 5
