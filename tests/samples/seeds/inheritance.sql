-- Inheritance: children add columns and inherit checks.
CREATE TABLE vehicles (id serial PRIMARY KEY, plate varchar(8) NOT NULL CHECK (plate <> ''), wheels integer CHECK (wheels > 0));
CREATE TABLE trucks (load numeric(6, 2) NOT NULL CHECK (load < 500)) INHERITS (vehicles);
CREATE TABLE big_trucks (trailers smallint, UNIQUE (id)) INHERITS (trucks);
CREATE TABLE owners (id serial PRIMARY KEY, vehicle_id integer NOT NULL REFERENCES vehicles, truck_id integer REFERENCES big_trucks (id));
