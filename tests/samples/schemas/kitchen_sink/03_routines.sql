-- Functions, procedures, aggregates, triggers, rules, languages.
CREATE FUNCTION app.add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS 'SELECT a + b';
CREATE FUNCTION app.add(a text, VARIADIC rest text[]) RETURNS text LANGUAGE sql AS $$SELECT a || rest[1]$$;
CREATE FUNCTION app.modern(n integer) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT n + (SELECT count(*) FROM public.users)::int; END;
CREATE PROCEDURE app.tidy(INOUT n integer) LANGUAGE plpgsql AS 'BEGIN n := n + 1; END';
CREATE AGGREGATE app.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', PARALLEL = SAFE);
CREATE AGGREGATE app.moving(float8) (SFUNC = float8pl, STYPE = float8, MSFUNC = float8pl, MINVFUNC = float8mi,
                                     MSTYPE = float8, SORTOP = <);
COMMENT ON FUNCTION app.add(integer, integer) IS 'sums';
COMMENT ON AGGREGATE app.total(integer) IS 'sums more';

CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER touch BEFORE UPDATE ON public.users FOR EACH ROW WHEN (OLD.email IS DISTINCT FROM NEW.email)
    EXECUTE FUNCTION app.touch();
COMMENT ON TRIGGER touch ON public.users IS 'keeps the time';
CREATE FUNCTION app.watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE CONSTRAINT TRIGGER watch AFTER INSERT ON public.posts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION app.watch();
CREATE TRIGGER each_measure AFTER INSERT ON app.measures FOR EACH ROW EXECUTE FUNCTION app.watch();
CREATE RULE no_delete AS ON DELETE TO public.posts DO INSTEAD NOTHING;
COMMENT ON RULE no_delete ON public.posts IS 'kept for ever';

CREATE FUNCTION app.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER app_on_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.on_ddl();
ALTER EVENT TRIGGER app_on_ddl DISABLE;
CREATE TRUSTED LANGUAGE plother HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
CREATE TRANSFORM FOR integer LANGUAGE plother (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
