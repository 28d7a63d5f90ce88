-- Unique in many ways.
CREATE TABLE singleton (id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), name text NOT NULL);
CREATE TABLE also_single (one boolean PRIMARY KEY DEFAULT true CHECK (one), name text);
CREATE TABLE two_rows (flag boolean NOT NULL UNIQUE, name text);
CREATE TABLE users (id serial PRIMARY KEY, email text NOT NULL, deleted boolean NOT NULL, name text NOT NULL);
CREATE UNIQUE INDEX ON users (lower(email)) WHERE NOT deleted;
CREATE TABLE slots (room integer NOT NULL, day date NOT NULL, slot smallint NOT NULL CHECK (slot BETWEEN 1 AND 3), UNIQUE (room, day, slot));
CREATE TABLE defaults_once (id serial PRIMARY KEY, is_default boolean NOT NULL, owner integer NOT NULL);
CREATE UNIQUE INDEX ON defaults_once (owner) WHERE is_default;
CREATE TABLE no_nulls (a integer, b text, UNIQUE NULLS NOT DISTINCT (a, b));
CREATE TABLE one_null (a integer UNIQUE NULLS NOT DISTINCT);
CREATE TABLE deferred (position integer NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED, name text);
CREATE TABLE long_key (path varchar(8000) NOT NULL, note text NOT NULL);
CREATE UNIQUE INDEX ON long_key (path);
CREATE TABLE including (a integer NOT NULL, b text, c text);
CREATE UNIQUE INDEX ON including (a) INCLUDE (b);
CREATE TABLE by_expression (first text, last text, born date);
CREATE UNIQUE INDEX ON by_expression ((coalesce(first, '') || ' ' || coalesce(last, '')), born);
CREATE TABLE many_combinations (a boolean NOT NULL, b boolean NOT NULL, c boolean NOT NULL, PRIMARY KEY (a, b, c));
-- rows: public.singleton 1, public.also_single 1, public.two_rows 2, public.many_combinations 6
