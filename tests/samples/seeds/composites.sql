-- Composite types, a table's row type, arrays of them, and generated columns.
CREATE TYPE point3 AS (x double precision, y double precision, z double precision);
CREATE TYPE address AS (street text, "House No" varchar(5), at point3, tags text[]);
CREATE TABLE templates (id serial PRIMARY KEY, name text NOT NULL, size numeric(6, 2));
CREATE TABLE deliveries (
    id bigserial PRIMARY KEY,
    goes_to address NOT NULL, came_from address, stops address[], template templates,
    price numeric(8, 2) NOT NULL, quantity smallint NOT NULL CHECK (quantity > 0),
    total numeric GENERATED ALWAYS AS (price * quantity) STORED CHECK (total < 1000000),
    code text NOT NULL, folded text GENERATED ALWAYS AS (lower(code)) STORED UNIQUE
);
-- unlike: public.deliveries.code
