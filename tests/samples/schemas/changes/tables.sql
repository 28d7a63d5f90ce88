-- case: a table
-- changes: column public.tags.id
-- changes: column public.tags.name
-- changes: constraint public.tags.tags_name_check
-- changes: constraint public.tags.tags_name_key
-- changes: constraint public.tags.tags_pkey
-- changes: sequence public.tags_id_seq
-- changes: table public.tags
CREATE TABLE public.tags (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, CHECK (name <> ''));
-- back
DROP TABLE public.tags;

-- case: a table is renamed
-- changes: column app.cache.key
-- changes: column app.cache.value
-- changes: column app.store.key
-- changes: column app.store.value
-- changes: owner table app.cache
-- changes: owner table app.store
-- changes: table app.cache
-- changes: table app.store
ALTER TABLE app.cache RENAME TO store;
-- back
ALTER TABLE app.store RENAME TO cache;

-- case: a table goes to another schema
-- changes: column app.loose.at
-- changes: column app.loose.place
-- changes: column app.loose.value
-- changes: column public.loose.at
-- changes: column public.loose.place
-- changes: column public.loose.value
-- changes: table app.loose
-- changes: table public.loose
ALTER TABLE app.loose SET SCHEMA public;
-- back
ALTER TABLE public.loose SET SCHEMA app;

-- case: an unlogged table becomes a logged one
-- changes: table app.cache
ALTER TABLE app.cache SET LOGGED;
-- back
ALTER TABLE app.cache SET UNLOGGED;

-- case: options of a table
-- changes: table public.users
ALTER TABLE public.users SET (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05);
-- back
ALTER TABLE public.users RESET (fillfactor, autovacuum_vacuum_scale_factor);

-- case: options of a TOAST table
-- changes: table public.users
ALTER TABLE public.users SET (toast.autovacuum_enabled = false);
-- back
ALTER TABLE public.users RESET (toast.autovacuum_enabled);

-- case: another access method
-- changes: privilege table app.on_heap_too
-- changes: table app.on_heap_too
-- note: the privileges on table app.on_heap_too are the same as before, but written differently
DROP TABLE app.on_heap_too;
CREATE TABLE app.on_heap_too (id integer);
-- back
DROP TABLE app.on_heap_too;
CREATE TABLE app.on_heap_too (id integer) USING heap_too;
REVOKE SELECT ON app.on_heap_too FROM schema_reader;

-- case: partitions get another access method
-- changes: table app.measures
-- since: 17
ALTER TABLE app.measures SET ACCESS METHOD heap_too;
-- back
ALTER TABLE app.measures SET ACCESS METHOD DEFAULT;

-- case: a tablespace for tables, indexes and constraints
-- changes: constraint public.users.users_pkey
-- changes: index public.ix_users_mood
-- changes: materialized view app.user_counts
-- changes: table app.loose
SET allow_in_place_tablespaces = on;
CREATE TABLESPACE schema_elsewhere LOCATION '';
ALTER TABLE app.loose SET TABLESPACE schema_elsewhere;
ALTER INDEX public.ix_users_mood SET TABLESPACE schema_elsewhere;
ALTER INDEX public.users_pkey SET TABLESPACE schema_elsewhere;
ALTER MATERIALIZED VIEW app.user_counts SET TABLESPACE schema_elsewhere;
-- back
ALTER TABLE app.loose SET TABLESPACE pg_default;
ALTER INDEX public.ix_users_mood SET TABLESPACE pg_default;
ALTER INDEX public.users_pkey SET TABLESPACE pg_default;
ALTER MATERIALIZED VIEW app.user_counts SET TABLESPACE pg_default;
DROP TABLESPACE schema_elsewhere;

-- case: a typed table becomes a plain one
-- changes: table app.typed
ALTER TABLE app.typed NOT OF;
-- back
ALTER TABLE app.typed OF app.address;

-- case: a child leaves its parent
-- changes: column app.child.id
-- changes: column app.child.note
-- changes: constraint app.child.parent_id_check
-- changes: table app.child
-- note: the privileges on table app.child are the same as before, but written differently
ALTER TABLE app.child NO INHERIT app.parent;
-- back
DROP TABLE app.child;
CREATE TABLE app.child (extra text) INHERITS (app.parent);
REVOKE SELECT ON app.child FROM schema_reader;
ALTER PUBLICATION some_tables ADD TABLE ONLY app.child;

-- case: a partition
-- changes: column app.measures_2025.at
-- changes: column app.measures_2025.place
-- changes: column app.measures_2025.value
-- changes: constraint app.measures_2025.measures_2025_pkey
-- changes: index app.measures_2025_value_idx
-- changes: privilege table app.measures_2025
-- changes: table app.measures_2025
CREATE TABLE app.measures_2025 PARTITION OF app.measures FOR VALUES FROM ('2025-01-01+00') TO ('2026-01-01+00');
-- back
DROP TABLE app.measures_2025;

-- case: a partition is detached
-- changes from 18: column app.measures_2024.at
-- changes from 18: column app.measures_2024.place
-- changes: constraint app.measures_2024.measures_2024_pkey
-- changes: index app.measures_2024_value_idx
-- changes: table app.measures_2024
ALTER TABLE app.measures DETACH PARTITION app.measures_2024;
-- back
ALTER TABLE app.measures ATTACH PARTITION app.measures_2024 FOR VALUES FROM ('2024-01-01+00') TO ('2025-01-01+00');

-- case: a table becomes a partition
-- changes: constraint app.loose.loose_pkey
-- changes: index app.loose_value_idx
-- changes: table app.loose
-- left: constraint app.loose.loose_pkey
-- note: the index app.loose_value_idx is left on a table that was a partition meanwhile
ALTER TABLE app.measures ATTACH PARTITION app.loose FOR VALUES FROM ('2026-01-01+00') TO ('2027-01-01+00');
-- back
ALTER TABLE app.measures DETACH PARTITION app.loose;

-- case: replica identity
-- changes: table public.users
ALTER TABLE public.users REPLICA IDENTITY FULL;
-- back
ALTER TABLE public.users REPLICA IDENTITY DEFAULT;

-- case: replica identity by an index
-- changes: constraint public.users.users_email_key
ALTER TABLE public.users REPLICA IDENTITY USING INDEX users_email_key;
-- back
ALTER TABLE public.users REPLICA IDENTITY DEFAULT;

-- case: no row security
-- changes: table public.posts
ALTER TABLE public.posts DISABLE ROW LEVEL SECURITY;
-- back
ALTER TABLE public.posts ENABLE ROW LEVEL SECURITY;

-- case: row security for the owner too
-- changes: table public.posts
ALTER TABLE public.posts FORCE ROW LEVEL SECURITY;
-- back
ALTER TABLE public.posts NO FORCE ROW LEVEL SECURITY;

-- case: a temporary table
CREATE TEMPORARY TABLE passing (id integer);
-- back

-- case: a schema
-- changes: schema other
CREATE SCHEMA other;
-- back
DROP SCHEMA other;

-- case: a schema is renamed
-- changes: column app.tagged.tags
-- changes: extension hstore
-- changes: schema extensions
-- changes: schema plugins
ALTER SCHEMA extensions RENAME TO plugins;
-- back
ALTER SCHEMA plugins RENAME TO extensions;

-- case: an extension
-- changes: comment extension citext
-- changes: extension citext
CREATE EXTENSION citext;
-- back
DROP EXTENSION citext;

-- case: an extension that is left behind
-- changes: comment extension citext
-- changes: extension citext
-- note: the extension citext is left behind
CREATE EXTENSION IF NOT EXISTS citext;
-- back

-- case: an extension goes to another schema
-- changes: column app.tagged.tags
-- changes: extension hstore
ALTER EXTENSION hstore SET SCHEMA app;
-- back
ALTER EXTENSION hstore SET SCHEMA extensions;
