-- Rows that migrations have brought: they stay, are referred to, and are not inserted twice.
CREATE TABLE roles (id serial PRIMARY KEY, name text NOT NULL UNIQUE CHECK (name IN ('admin', 'editor', 'reader')));
INSERT INTO roles (name) VALUES ('admin'), ('editor'), ('reader');
CREATE TABLE countries (code char(2) PRIMARY KEY CHECK (code ~ '^[A-Z]{2}$'), name text NOT NULL);
INSERT INTO countries VALUES ('DE', 'Germany'), ('BC', 'taken'), ('CD', 'taken'), ('AA', 'taken');
CREATE TABLE plans (id integer PRIMARY KEY, code text NOT NULL UNIQUE, price numeric(8, 2) NOT NULL);
INSERT INTO plans SELECT n, 'plan ' || n, n FROM generate_series(1, 40) n;
CREATE TABLE users (id serial PRIMARY KEY, role_id integer NOT NULL REFERENCES roles, country char(2) NOT NULL REFERENCES countries, plan_id integer REFERENCES plans);
INSERT INTO users (id, role_id, country) VALUES (7, 1, 'DE'), (1000, 2, 'BC');
-- rows: public.roles 0, public.users 6
