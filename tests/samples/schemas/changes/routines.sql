-- case: a function
-- changes: function public.twice(integer)
CREATE FUNCTION public.twice(n integer) RETURNS integer LANGUAGE sql RETURN n * 2;
-- back
DROP FUNCTION public.twice(integer);

-- case: another body
-- changes: function app.add(integer, integer)
CREATE OR REPLACE FUNCTION app.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT b + a';
-- back
CREATE OR REPLACE FUNCTION app.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT a + b';

-- case: the same body, which names another function of that name
-- Nothing changes: the text was read under another search path.
SET search_path = app, public;
CREATE OR REPLACE FUNCTION app.modern(n integer) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC SELECT n + (SELECT count(*) FROM users)::int; END;
-- back

-- case: another argument
-- changes: function app.add(bigint, bigint)
CREATE FUNCTION app.add(a bigint, b bigint) RETURNS bigint LANGUAGE sql AS 'SELECT a + b';
-- back
DROP FUNCTION app.add(bigint, bigint);

-- case: a function's settings
-- changes: function app.touch()
ALTER FUNCTION app.touch() SET search_path = app, public;
-- back
ALTER FUNCTION app.touch() RESET search_path;

-- case: a function with its owner's rights
-- changes: function app.touch()
ALTER FUNCTION app.touch() SECURITY DEFINER COST 10;
-- back
ALTER FUNCTION app.touch() SECURITY INVOKER COST 100;

-- case: a function is renamed
-- changes: function app.alike(text, text)
-- changes: function app.like_mood(text, text)
-- changes: operator app.=~=(text, text)
ALTER FUNCTION app.like_mood(text, text) RENAME TO alike;
-- back
ALTER FUNCTION app.alike(text, text) RENAME TO like_mood;

-- case: a set-returning function
-- changes: function app.pairs()
CREATE FUNCTION app.pairs() RETURNS TABLE (a integer, b text) LANGUAGE sql ROWS 7 AS 'SELECT 1, ''x''';
-- back
DROP FUNCTION app.pairs();

-- case: a procedure
-- changes: procedure app.sweep(integer)
CREATE PROCEDURE app.sweep(days integer, OUT swept integer) LANGUAGE plpgsql AS 'BEGIN swept := days; END';
-- back
DROP PROCEDURE app.sweep(integer);

-- case: a procedure changes
-- changes: procedure app.tidy(integer)
CREATE OR REPLACE PROCEDURE app.tidy(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 2; END';
-- back
CREATE OR REPLACE PROCEDURE app.tidy(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';

-- case: an aggregate
-- changes: aggregate app.product(double precision)
CREATE AGGREGATE app.product(float8) (SFUNC = float8mul, STYPE = float8, INITCOND = '1');
-- back
DROP AGGREGATE app.product(float8);

-- case: an aggregate with another beginning
-- changes: aggregate app.total(integer)
-- changes: comment aggregate app.total(integer)
DROP AGGREGATE app.total(integer);
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '1', PARALLEL = SAFE);
-- back
DROP AGGREGATE app.total(integer);
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = SAFE);
COMMENT ON AGGREGATE app.total(integer) IS 'sums more';

-- case: an ordered-set aggregate
-- changes: aggregate app.middle(double precision, anyelement)
CREATE AGGREGATE app.middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal,
    FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
-- back
DROP AGGREGATE app.middle(float8 ORDER BY anyelement);

-- case: a trigger
-- changes: trigger public.users.once
CREATE TRIGGER once AFTER INSERT OR DELETE ON public.users FOR EACH STATEMENT EXECUTE FUNCTION app.watch();
-- back
DROP TRIGGER once ON public.users;

-- case: a trigger is disabled
-- changes: trigger public.users.touch
ALTER TABLE public.users DISABLE TRIGGER touch;
-- back
ALTER TABLE public.users ENABLE TRIGGER touch;

-- case: a trigger fires always
-- changes: trigger public.users.touch
ALTER TABLE public.users ENABLE ALWAYS TRIGGER touch;
-- back
ALTER TABLE public.users ENABLE TRIGGER touch;

-- case: a trigger is disabled on one partition
-- changes: trigger app.measures_2024.each_measure
ALTER TABLE app.measures_2024 DISABLE TRIGGER each_measure;
-- back
ALTER TABLE app.measures_2024 ENABLE TRIGGER each_measure;

-- case: a trigger is renamed
-- changes: comment trigger public.users.keep_time
-- changes: comment trigger public.users.touch
-- changes: trigger public.users.keep_time
-- changes: trigger public.users.touch
ALTER TRIGGER touch ON public.users RENAME TO keep_time;
-- back
ALTER TRIGGER keep_time ON public.users RENAME TO touch;

-- case: a constraint trigger is deferred no longer
-- changes: trigger public.posts.watch
DROP TRIGGER watch ON public.posts;
CREATE CONSTRAINT TRIGGER watch AFTER INSERT ON public.posts FOR EACH ROW EXECUTE FUNCTION app.watch();
-- back
DROP TRIGGER watch ON public.posts;
CREATE CONSTRAINT TRIGGER watch AFTER INSERT ON public.posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION app.watch();

-- case: a rule
-- changes: rule public.posts.log_it
CREATE RULE log_it AS ON UPDATE TO public.posts DO ALSO NOTIFY posts;
-- back
DROP RULE log_it ON public.posts;

-- case: a rule is disabled
-- changes: rule public.posts.no_delete
ALTER TABLE public.posts DISABLE RULE no_delete;
-- back
ALTER TABLE public.posts ENABLE RULE no_delete;

-- case: an event trigger
-- changes: event trigger watch_drops
CREATE EVENT TRIGGER watch_drops ON sql_drop EXECUTE FUNCTION app.on_ddl();
-- back
DROP EVENT TRIGGER watch_drops;

-- case: an event trigger is enabled
-- changes: event trigger app_on_ddl
ALTER EVENT TRIGGER app_on_ddl ENABLE REPLICA;
-- back
ALTER EVENT TRIGGER app_on_ddl DISABLE;

-- case: what backout itself leaves while it looks
-- dump: changed, it is removed before anybody else looks
CREATE EVENT TRIGGER _backout_observer ON ddl_command_end EXECUTE FUNCTION app.on_ddl();
-- back
DROP EVENT TRIGGER _backout_observer;

-- case: a language
-- changes: language plthird
CREATE LANGUAGE plthird HANDLER plpgsql_call_handler;
-- back
DROP LANGUAGE plthird;

-- case: a transform
-- changes: transform FOR text LANGUAGE plother
CREATE TRANSFORM FOR text LANGUAGE plother (FROM SQL WITH FUNCTION prsd_lextype(internal));
-- back
DROP TRANSFORM FOR text LANGUAGE plother;
