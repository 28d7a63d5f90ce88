-- Exclusion constraints.
-- needs: btree_gist
CREATE EXTENSION btree_gist;
CREATE TABLE rooms (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE bookings (
    id serial PRIMARY KEY, room_id integer NOT NULL REFERENCES rooms, during tstzrange NOT NULL, cancelled boolean NOT NULL DEFAULT false,
    EXCLUDE USING gist (room_id WITH =, during WITH &&) WHERE (NOT cancelled)
);
CREATE TABLE contracts (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), customer text NOT NULL, starts date NOT NULL, ends date,
    CHECK (ends > starts), EXCLUDE USING gist (customer WITH =, daterange(starts, ends) WITH &&)
);
CREATE TABLE never_two (during daterange NOT NULL, EXCLUDE USING gist (during WITH &&));
CREATE TABLE circles (c circle NOT NULL, EXCLUDE USING gist (c WITH &&));
CREATE TABLE different (a integer NOT NULL, b integer NOT NULL, EXCLUDE USING gist (a WITH =, b WITH <>));
CREATE TABLE deferred (during int4range, EXCLUDE USING gist (during WITH &&) DEFERRABLE INITIALLY DEFERRED);
-- rows: public.deferred 5, public.never_two 3
