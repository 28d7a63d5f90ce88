-- case: a view
-- changes: view public.emails
CREATE VIEW public.emails AS SELECT email FROM public.users;
-- back
DROP VIEW public.emails;

-- case: another query
-- changes: view app.happy_users
CREATE OR REPLACE VIEW app.happy_users WITH (security_barrier = true) AS
    SELECT id, email FROM public.users WHERE mood <> 'sad' WITH LOCAL CHECK OPTION;
-- back
CREATE OR REPLACE VIEW app.happy_users WITH (security_barrier = true) AS
    SELECT id, email FROM public.users WHERE mood = 'happy' WITH LOCAL CHECK OPTION;

-- case: options of a view
-- changes: view app.happy_users
ALTER VIEW app.happy_users SET (security_invoker = true);
-- back
ALTER VIEW app.happy_users RESET (security_invoker);

-- case: a default of a view
-- changes: column app.happy_users.id
ALTER VIEW app.happy_users ALTER id SET DEFAULT 7;
-- back
ALTER VIEW app.happy_users ALTER id DROP DEFAULT;

-- case: a view's column is renamed
-- changes: view app.happy_users
ALTER VIEW app.happy_users RENAME COLUMN id TO number;
-- back
ALTER VIEW app.happy_users RENAME COLUMN number TO id;

-- case: a materialized view
-- changes: materialized view public.moods
CREATE MATERIALIZED VIEW public.moods AS SELECT DISTINCT mood FROM public.users;
-- back
DROP MATERIALIZED VIEW public.moods;

-- case: a materialized view is filled
-- changes: materialized view app.empty_counts
-- dump: unchanged, rows are data to pg_dump
REFRESH MATERIALIZED VIEW app.empty_counts;
-- back
REFRESH MATERIALIZED VIEW app.empty_counts WITH NO DATA;

-- case: options of a materialized view
-- changes: materialized view app.user_counts
ALTER MATERIALIZED VIEW app.user_counts SET (autovacuum_enabled = false);
-- back
ALTER MATERIALIZED VIEW app.user_counts RESET (autovacuum_enabled);

-- case: a column of a materialized view
-- changes: column app.user_counts.number
ALTER MATERIALIZED VIEW app.user_counts ALTER number SET STATISTICS 300;
-- back
ALTER MATERIALIZED VIEW app.user_counts ALTER number SET STATISTICS -1;

-- case: a materialized view is clustered
-- changes: index app.user_counts_mood
ALTER MATERIALIZED VIEW app.user_counts CLUSTER ON user_counts_mood;
-- back
ALTER MATERIALIZED VIEW app.user_counts SET WITHOUT CLUSTER;

-- case: statistics
-- changes: statistics app.parent_stats
CREATE STATISTICS app.parent_stats (ndistinct, mcv) ON id, note FROM app.parent;
-- back
DROP STATISTICS app.parent_stats;

-- case: statistics on an expression
-- changes: statistics app.parent_upper
CREATE STATISTICS app.parent_upper ON (upper(note)) FROM app.parent;
-- back
DROP STATISTICS app.parent_upper;

-- case: a target of statistics
-- changes: statistics public.users_stats
ALTER STATISTICS public.users_stats SET STATISTICS 50;
-- back
ALTER STATISTICS public.users_stats SET STATISTICS -1;
