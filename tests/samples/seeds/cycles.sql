-- Foreign keys that go in a circle, and tables that refer to themselves.
CREATE TABLE categories (id serial PRIMARY KEY, parent_id integer REFERENCES categories, name text NOT NULL);
CREATE TABLE rooted (id integer PRIMARY KEY, root_id integer NOT NULL REFERENCES rooted, name text NOT NULL);
CREATE TABLE trees (
    forest uuid NOT NULL, id integer NOT NULL, parent integer, is_root boolean NOT NULL,
    PRIMARY KEY (forest, id), FOREIGN KEY (forest, parent) REFERENCES trees (forest, id),
    CHECK (is_root = (parent IS NULL)), CHECK (parent <> id)
);
CREATE TABLE departments (id serial PRIMARY KEY, head_id integer, name text NOT NULL);
CREATE TABLE employees (id serial PRIMARY KEY, department_id integer NOT NULL REFERENCES departments, name text NOT NULL);
ALTER TABLE departments ADD FOREIGN KEY (head_id) REFERENCES employees;
CREATE TABLE chickens (id serial PRIMARY KEY, egg_id integer NOT NULL, name text);
CREATE TABLE eggs (id serial PRIMARY KEY, chicken_id integer NOT NULL REFERENCES chickens, size integer NOT NULL);
ALTER TABLE chickens ADD FOREIGN KEY (egg_id) REFERENCES eggs DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE one (id uuid PRIMARY KEY, three_id uuid NOT NULL UNIQUE);
CREATE TABLE two (id uuid PRIMARY KEY, one_id uuid NOT NULL REFERENCES one);
CREATE TABLE three (id uuid PRIMARY KEY, two_id uuid NOT NULL REFERENCES two);
ALTER TABLE one ADD FOREIGN KEY (three_id) REFERENCES three;
CREATE TABLE below_the_circle (id serial PRIMARY KEY, one_id uuid NOT NULL REFERENCES one, egg_id integer NOT NULL REFERENCES eggs);
-- assumes: foreign keys of public.one go in a circle that no first row can enter; its first rows were inserted with session_replication_role = replica, and then completed
