-- Owners, privileges, policies, default privileges. The roles are made by the test.
ALTER TABLE public.posts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_posts ON public.posts FOR SELECT TO schema_reader, PUBLIC USING (user_id > 0);
CREATE POLICY writers ON public.posts AS RESTRICTIVE FOR INSERT TO schema_writer WITH CHECK (title <> 'x');
COMMENT ON POLICY own_posts ON public.posts IS 'mine';
GRANT USAGE ON SCHEMA app TO schema_reader;
GRANT SELECT ON public.users TO schema_reader WITH GRANT OPTION;
GRANT UPDATE (email) ON public.users TO schema_writer;
GRANT USAGE ON SEQUENCE app.plain TO schema_writer;
GRANT USAGE ON SEQUENCE public.users_id_seq TO schema_writer;
REVOKE EXECUTE ON FUNCTION app.add(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.add(integer, integer) TO schema_reader;
REVOKE USAGE ON TYPE app.mood FROM PUBLIC;
GRANT USAGE ON FOREIGN SERVER remote TO schema_reader;
ALTER TABLE app.cache OWNER TO schema_writer;
ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO schema_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE schema_writer REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
SELECT lo_create(0);
