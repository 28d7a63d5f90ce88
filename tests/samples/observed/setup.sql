-- What the statements of statements.tsv run on.
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN pos AS int CHECK (VALUE > 0);
CREATE DOMAIN word AS text;
CREATE DOMAIN size AS int;

CREATE TABLE p (id int PRIMARY KEY, n int);
INSERT INTO p VALUES (1, 10), (2, 20), (3, 30);

CREATE TABLE t (
  id int PRIMARY KEY,
  n int,
  b text,
  v varchar(10),
  amount numeric(10,2),
  ts timestamp,
  tz timestamptz,
  net cidr,
  feeling mood,
  proved int CONSTRAINT t_proved CHECK (proved IS NOT NULL),
  w word,
  p_id int CONSTRAINT t_p_id_fkey REFERENCES p,
  room int4range
);
INSERT INTO t
SELECT i, i, 'b' || i, 'v', 1.25, '2024-02-29 12:00', '2024-02-29 12:00+02', '10.0.0.0/8', 'ok', i, 'w', i,
       int4range(10 * i, 10 * i + 5)
FROM generate_series(1, 3) i;
CREATE INDEX t_b ON t (b);
CREATE UNIQUE INDEX t_n ON t (n);

-- The only table with a column of the constrained domain.
CREATE TABLE d (id int, x pos, y size);
INSERT INTO d VALUES (1, 1, 1);

-- Nothing refers to it, it refers to nothing.
CREATE TABLE alone (id bigserial PRIMARY KEY, x int);
INSERT INTO alone (x) VALUES (1), (2);
ALTER TABLE alone ADD CONSTRAINT alone_x CHECK (x > 0) NOT VALID;

-- Refers to p without having been checked.
CREATE TABLE loose (id int, p_id int);
INSERT INTO loose VALUES (1, 1);
ALTER TABLE loose ADD CONSTRAINT loose_p_id_fkey FOREIGN KEY (p_id) REFERENCES p NOT VALID;

CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_23 PARTITION OF parts FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE parts_24 PARTITION OF parts FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO parts VALUES (1, '2023-05-05'), (2, '2024-05-05');
CREATE TABLE part_25 (id int, at date);
INSERT INTO part_25 VALUES (3, '2025-05-05');
CREATE TABLE part_26 (
  id int, at date NOT NULL, CONSTRAINT part_26_at CHECK (at >= '2026-01-01' AND at < '2027-01-01')
);
INSERT INTO part_26 VALUES (4, '2026-05-05');

CREATE TABLE "Odd Name" ("Id" int PRIMARY KEY);

CREATE MATERIALIZED VIEW mv AS SELECT id FROM p;
CREATE UNIQUE INDEX mv_id ON mv (id);
CREATE VIEW vw AS SELECT id FROM alone;
CREATE SEQUENCE counter;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER alone_noop BEFORE INSERT ON alone FOR EACH ROW EXECUTE FUNCTION noop();
CREATE FUNCTION widen() RETURNS void LANGUAGE plpgsql AS
  'BEGIN UPDATE t SET n = n; ALTER TABLE alone ALTER COLUMN x TYPE bigint; END';
CREATE PROCEDURE in_two() LANGUAGE plpgsql AS
  'BEGIN ALTER TABLE alone ADD COLUMN y int; COMMIT; ALTER TABLE p ADD COLUMN y int; END';
