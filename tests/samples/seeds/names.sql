-- Names that need quotation marks, keywords, other schemas, many columns, none at all, no key.
CREATE SCHEMA "Größe 1";
CREATE SCHEMA select_;
CREATE TABLE "Größe 1"."Straße ""x""" ("Haus-Nr." serial PRIMARY KEY, "select" text NOT NULL, "n" integer NOT NULL, "v" text, value text, "place" text,
    CHECK ("n" > 0 OR "v" IS NOT NULL), CHECK (value IS NULL OR "place" IS NOT NULL));
CREATE TABLE select_."user" ("order" integer NOT NULL REFERENCES "Größe 1"."Straße ""x""", "table" text UNIQUE, "from" date, "group" text CHECK ("group" <> ''));
CREATE TABLE select_.without_columns ();
CREATE TABLE public.without_key (a integer, b text, c timestamptz);
CREATE TABLE public."%s" ("%(a)s" text, "{b}" text NOT NULL, "100%" numeric);
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE wide (id serial PRIMARY KEY, ' || string_agg('c' || n || CASE n % 4 WHEN 0 THEN ' text' WHEN 1 THEN ' integer NOT NULL' WHEN 2 THEN ' timestamptz' ELSE ' boolean' END, ', ' ORDER BY n) || ')' FROM generate_series(1, 260) n); END $$;
CREATE VIEW public.view_in_the_way AS SELECT * FROM without_key;
CREATE MATERIALIZED VIEW public.matview AS SELECT count(*) FROM without_key;
