-- case: an owner
-- changes: owner sequence public.posts_id_seq
-- changes: owner table public.posts
ALTER TABLE public.posts OWNER TO schema_writer;
-- back
ALTER TABLE public.posts OWNER TO CURRENT_USER;

-- case: the owner of a schema
-- changes: owner schema app
ALTER SCHEMA app OWNER TO schema_writer;
-- back
ALTER SCHEMA app OWNER TO CURRENT_USER;

-- case: an owner who had a privilege loses it with the schema
-- changes: owner schema app
-- changes: privilege schema app
-- left: privilege schema app
ALTER SCHEMA app OWNER TO schema_reader;
-- back
ALTER SCHEMA app OWNER TO CURRENT_USER;

-- case: the owner of a function
-- changes: owner function app.touch()
ALTER FUNCTION app.touch() OWNER TO schema_writer;
-- back
ALTER FUNCTION app.touch() OWNER TO CURRENT_USER;

-- case: the owner of a type
-- changes: owner type app.mood
ALTER TYPE app.mood OWNER TO schema_writer;
-- back
ALTER TYPE app.mood OWNER TO CURRENT_USER;

-- case: the owner of the schema public
-- changes: owner schema public
ALTER SCHEMA public OWNER TO CURRENT_USER;
-- back
ALTER SCHEMA public OWNER TO pg_database_owner;

-- case: a privilege on a table
-- changes: privilege table public.posts
-- note: the privileges on table public.posts are the same as before, but written differently
GRANT SELECT, INSERT ON public.posts TO schema_reader;
-- back
REVOKE ALL ON public.posts FROM schema_reader;

-- case: all privileges on a table
-- changes: privilege table public.posts
-- note: the privileges on table public.posts are the same as before, but written differently
GRANT ALL ON public.posts TO schema_writer, PUBLIC;
-- back
REVOKE ALL ON public.posts FROM schema_writer, PUBLIC;

-- case: a privilege on a column
-- changes: privilege column public.users."Display Name"
-- changes: privilege column public.users.id
GRANT SELECT ("Display Name"), REFERENCES (id) ON public.users TO schema_writer;
-- back
REVOKE SELECT ("Display Name"), REFERENCES (id) ON public.users FROM schema_writer;

-- case: a privilege on a view
-- changes: privilege view app.happy_users
-- note: the privileges on view app.happy_users are the same as before, but written differently
GRANT SELECT ON app.happy_users TO PUBLIC;
-- back
REVOKE SELECT ON app.happy_users FROM PUBLIC;

-- case: a privilege on a sequence
-- changes: privilege sequence app.plain
REVOKE USAGE ON SEQUENCE app.plain FROM schema_writer;
-- back
GRANT USAGE ON SEQUENCE app.plain TO schema_writer;

-- case: a privilege on a schema
-- changes: privilege schema app
GRANT CREATE ON SCHEMA app TO schema_writer;
-- back
REVOKE CREATE ON SCHEMA app FROM schema_writer;

-- case: privileges on the schema public
-- changes: privilege schema public
REVOKE ALL ON SCHEMA public FROM PUBLIC;
-- back
GRANT USAGE ON SCHEMA public TO PUBLIC;

-- case: a privilege on a procedure
-- changes: privilege procedure app.tidy(integer)
-- note: the privileges on procedure app.tidy(integer) are the same as before, but written differently
REVOKE EXECUTE ON PROCEDURE app.tidy(integer) FROM PUBLIC;
-- back
GRANT EXECUTE ON PROCEDURE app.tidy(integer) TO PUBLIC;

-- case: a privilege on an aggregate
-- changes: privilege aggregate app.total(integer)
-- note: the privileges on aggregate app.total(integer) are the same as before, but written differently
REVOKE EXECUTE ON FUNCTION app.total(integer) FROM PUBLIC;
-- back
GRANT EXECUTE ON FUNCTION app.total(integer) TO PUBLIC;

-- case: a privilege on a materialized view and a foreign table
-- changes: privilege foreign table app.far_away
-- changes: privilege materialized view app.user_counts
-- note: the privileges on foreign table app.far_away are the same as before, but written differently
-- note: the privileges on materialized view app.user_counts are the same as before, but written differently
GRANT SELECT ON app.user_counts, app.far_away TO schema_writer;
-- back
REVOKE SELECT ON app.user_counts, app.far_away FROM schema_writer;

-- case: a privilege on a type
-- changes: privilege type app.mood
GRANT USAGE ON TYPE app.mood TO schema_reader;
-- back
REVOKE USAGE ON TYPE app.mood FROM schema_reader;

-- case: a privilege on a domain
-- changes: privilege domain app.email
-- note: the privileges on domain app.email are the same as before, but written differently
REVOKE USAGE ON DOMAIN app.email FROM PUBLIC;
-- back
GRANT USAGE ON DOMAIN app.email TO PUBLIC;

-- case: a privilege on a language
-- changes: privilege language plother
-- note: the privileges on language plother are the same as before, but written differently
REVOKE USAGE ON LANGUAGE plother FROM PUBLIC;
-- back
GRANT USAGE ON LANGUAGE plother TO PUBLIC;

-- case: a privilege on a foreign data wrapper
-- changes: privilege foreign data wrapper wrapper
-- note: the privileges on foreign data wrapper wrapper are the same as before, but written differently
GRANT USAGE ON FOREIGN DATA WRAPPER wrapper TO schema_writer;
-- back
REVOKE USAGE ON FOREIGN DATA WRAPPER wrapper FROM schema_writer;

-- case: a privilege on a function of PostgreSQL
-- changes: privilege function pg_catalog.pg_ls_dir(text)
GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) TO schema_reader;
-- back
REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text) FROM schema_reader;

-- case: a privilege on a view of PostgreSQL
-- changes: privilege view pg_catalog.pg_settings
REVOKE SELECT ON pg_catalog.pg_settings FROM PUBLIC;
-- back
GRANT SELECT ON pg_catalog.pg_settings TO PUBLIC;

-- case: a privilege on a function of an extension
-- changes: privilege function public.similarity(text, text)
REVOKE EXECUTE ON FUNCTION public.similarity(text, text) FROM PUBLIC;
-- back
GRANT EXECUTE ON FUNCTION public.similarity(text, text) TO PUBLIC;

-- case: privileges that are written out and change nothing
-- note: the privileges on table public.posts are the same as before, but written differently
GRANT SELECT ON public.posts TO schema_reader;
REVOKE SELECT ON public.posts FROM schema_reader;
-- back

-- case: default privileges
-- changes: default privilege IN public SEQUENCES
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON SEQUENCES TO schema_writer;
-- back
ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE ALL ON SEQUENCES FROM schema_writer;

-- case: default privileges everywhere
-- changes: default privilege TYPES
ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC;
-- back
ALTER DEFAULT PRIVILEGES GRANT USAGE ON TYPES TO PUBLIC;

-- case: a policy
-- changes: policy public.posts.changes
CREATE POLICY changes ON public.posts FOR UPDATE USING (title <> '') WITH CHECK (user_id > 1);
-- back
DROP POLICY changes ON public.posts;

-- case: a policy for others
-- changes: policy public.posts.writers
ALTER POLICY writers ON public.posts TO schema_reader;
-- back
ALTER POLICY writers ON public.posts TO schema_writer;

-- case: a policy with another condition
-- changes: policy public.posts.own_posts
ALTER POLICY own_posts ON public.posts USING (user_id > 1);
-- back
ALTER POLICY own_posts ON public.posts USING (user_id > 0);

-- case: a security label
-- changes: security label column public.users.email by dummy
-- changes: security label table public.users by dummy
SET allow_system_table_mods = on;
INSERT INTO pg_seclabel VALUES ('public.users'::regclass, 'pg_class'::regclass, 0, 'dummy', 'secret'),
                               ('public.users'::regclass, 'pg_class'::regclass, 2, 'dummy', 'unclassified');
-- back
SET allow_system_table_mods = on;
DELETE FROM pg_seclabel;

-- case: a setting of the database
-- changes: setting database search_path
DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = app, public', current_database()); END$$;
-- back
DO $$BEGIN EXECUTE format('ALTER DATABASE %I RESET search_path', current_database()); END$$;

-- case: a setting of a role in the database
-- changes: setting database role schema_reader work_mem
DO $$BEGIN EXECUTE format('ALTER ROLE schema_reader IN DATABASE %I SET work_mem = ''8MB''', current_database()); END$$;
-- back
DO $$BEGIN EXECUTE format('ALTER ROLE schema_reader IN DATABASE %I RESET ALL', current_database()); END$$;

-- case: a privilege on the database
-- changes: privilege database
DO $$BEGIN EXECUTE format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC', current_database()); END$$;
-- back
DO $$BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO PUBLIC', current_database()); END$$;

-- case: a large object
-- changes: large objects all
-- dump: unchanged, large objects are data to pg_dump
SELECT lo_create(0);
-- back
SELECT lo_unlink(max(oid)) FROM pg_largeobject_metadata;
