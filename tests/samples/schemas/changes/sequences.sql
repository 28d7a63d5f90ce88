-- case: a sequence
-- changes: sequence public.counter
CREATE SEQUENCE public.counter MINVALUE 10 NO CYCLE;
-- back
DROP SEQUENCE public.counter;

-- case: a sequence with other options
-- changes: sequence app.numbers
ALTER SEQUENCE app.numbers INCREMENT BY -5 MAXVALUE 1000 NO CYCLE CACHE 1;
-- back
DROP SEQUENCE app.numbers;
CREATE SEQUENCE app.numbers AS integer INCREMENT BY 5 START WITH 100 CACHE 10 CYCLE;

-- case: a sequence of another type
-- changes: sequence public.posts_id_seq
ALTER SEQUENCE public.posts_id_seq AS bigint;
-- back
ALTER SEQUENCE public.posts_id_seq AS integer;

-- case: a sequence that belongs to no column
-- changes: sequence public.posts_id_seq
ALTER SEQUENCE public.posts_id_seq OWNED BY NONE;
-- back
ALTER SEQUENCE public.posts_id_seq OWNED BY public.posts.id;

-- case: a sequence that belongs to a column
-- changes: sequence app.plain
ALTER SEQUENCE app.plain OWNED BY app.loose.place;
-- back
ALTER SEQUENCE app.plain OWNED BY NONE;

-- case: a sequence moves forward
-- note: the sequence app.plain moved forward: its next value was 1 and is 42
-- dump: unchanged, positions are data to pg_dump
SELECT setval('app.plain', 41);
-- back

-- case: a sequence moves forward before it gave out a number
-- note: the sequence app.plain moved forward: its next value was 1 and is 41
-- dump: unchanged, positions are data to pg_dump
SELECT setval('app.plain', 41, false);
-- back
SELECT setval('app.plain', 40, true);

-- case: a sequence that counts down
-- changes: sequence app.down
CREATE SEQUENCE app.down INCREMENT BY -1;
-- back
DROP SEQUENCE app.down;

-- case: an unlogged sequence
-- changes: sequence app.plain
ALTER SEQUENCE app.plain SET UNLOGGED;
-- back
ALTER SEQUENCE app.plain SET LOGGED;
