-- case: a comment on a table
-- changes: comment table public.posts
COMMENT ON TABLE public.posts IS 'what they write';
-- back
COMMENT ON TABLE public.posts IS NULL;

-- case: another comment on a column
-- changes: comment column public.users.email
COMMENT ON COLUMN public.users.email IS 'as typed';
-- back
COMMENT ON COLUMN public.users.email IS 'in lower case';

-- case: a comment on a column of a materialized view
-- changes: comment column app.user_counts.number
COMMENT ON COLUMN app.user_counts.number IS 'how many';
-- back
COMMENT ON COLUMN app.user_counts.number IS NULL;

-- case: a comment on an index
-- changes: comment index public.ix_users_lower
COMMENT ON INDEX public.ix_users_lower IS 'for finding';
-- back
COMMENT ON INDEX public.ix_users_lower IS NULL;

-- case: a comment on an index of a constraint
-- changes: comment index public.users_pkey
COMMENT ON INDEX public.users_pkey IS NULL;
-- back
COMMENT ON INDEX public.users_pkey IS 'the key''s index';

-- case: a comment on a constraint
-- changes: comment constraint public.posts.posts_user_id_fkey
COMMENT ON CONSTRAINT posts_user_id_fkey ON public.posts IS 'whose';
-- back
COMMENT ON CONSTRAINT posts_user_id_fkey ON public.posts IS NULL;

-- case: a comment on a NOT NULL constraint
-- changes: comment constraint public.posts.posts_title_not_null
-- since: 18
COMMENT ON CONSTRAINT posts_title_not_null ON public.posts IS 'always';
-- back
COMMENT ON CONSTRAINT posts_title_not_null ON public.posts IS NULL;

-- case: a comment on an identity's sequence
-- changes: comment sequence public.users_id_seq
COMMENT ON SEQUENCE public.users_id_seq IS 'numbers';
-- back
COMMENT ON SEQUENCE public.users_id_seq IS NULL;

-- case: a comment on a type
-- changes: comment type app.mood
COMMENT ON TYPE app.mood IS 'how one feels';
-- back
COMMENT ON TYPE app.mood IS NULL;

-- case: a comment on a domain
-- changes: comment domain app.percent
COMMENT ON DOMAIN app.percent IS 'of hundred';
-- back
COMMENT ON DOMAIN app.percent IS NULL;

-- case: a comment on a procedure
-- changes: comment procedure app.tidy(integer)
COMMENT ON PROCEDURE app.tidy(integer) IS 'cleans';
-- back
COMMENT ON PROCEDURE app.tidy(integer) IS NULL;

-- case: a comment on the schema public
-- changes: comment schema public
COMMENT ON SCHEMA public IS 'ours';
-- back
COMMENT ON SCHEMA public IS 'standard public schema';

-- case: a comment on an extension
-- changes: comment extension hstore
COMMENT ON EXTENSION hstore IS 'pairs';
-- back
COMMENT ON EXTENSION hstore IS 'data type for storing sets of (key, value) pairs';

-- case: comments on what is rarely commented
-- changes: comment access method heap_too
-- changes: comment cast (app.mood AS integer)
-- changes: comment collation app."binary"
-- changes: comment conversion app.latin
-- changes: comment event trigger app_on_ddl
-- changes: comment foreign data wrapper wrapper
-- changes: comment foreign table app.far_away
-- changes: comment language plother
-- changes: comment materialized view app.user_counts
-- changes: comment operator family app.texts USING btree
-- changes: comment publication all_tables
-- changes: comment statistics public.users_stats
-- changes: comment text search dictionary app.plain_words
-- changes: comment text search parser app.words
-- changes: comment text search template app.simply
-- changes: comment transform FOR integer LANGUAGE plother
COMMENT ON ACCESS METHOD heap_too IS 'x';
COMMENT ON CAST (app.mood AS integer) IS 'x';
COMMENT ON COLLATION app.binary IS 'x';
COMMENT ON CONVERSION app.latin IS 'x';
COMMENT ON EVENT TRIGGER app_on_ddl IS 'x';
COMMENT ON FOREIGN DATA WRAPPER wrapper IS 'x';
COMMENT ON FOREIGN TABLE app.far_away IS 'x';
COMMENT ON LANGUAGE plother IS 'x';
COMMENT ON MATERIALIZED VIEW app.user_counts IS 'x';
COMMENT ON OPERATOR FAMILY app.texts USING btree IS 'x';
COMMENT ON PUBLICATION all_tables IS 'x';
COMMENT ON STATISTICS public.users_stats IS 'x';
COMMENT ON TEXT SEARCH DICTIONARY app.plain_words IS 'x';
COMMENT ON TEXT SEARCH PARSER app.words IS 'x';
COMMENT ON TEXT SEARCH TEMPLATE app.simply IS 'x';
COMMENT ON TRANSFORM FOR integer LANGUAGE plother IS 'x';
-- back
COMMENT ON ACCESS METHOD heap_too IS NULL;
COMMENT ON CAST (app.mood AS integer) IS NULL;
COMMENT ON COLLATION app.binary IS NULL;
COMMENT ON CONVERSION app.latin IS NULL;
COMMENT ON EVENT TRIGGER app_on_ddl IS NULL;
COMMENT ON FOREIGN DATA WRAPPER wrapper IS NULL;
COMMENT ON FOREIGN TABLE app.far_away IS NULL;
COMMENT ON LANGUAGE plother IS NULL;
COMMENT ON MATERIALIZED VIEW app.user_counts IS NULL;
COMMENT ON OPERATOR FAMILY app.texts USING btree IS NULL;
COMMENT ON PUBLICATION all_tables IS NULL;
COMMENT ON STATISTICS public.users_stats IS NULL;
COMMENT ON TEXT SEARCH DICTIONARY app.plain_words IS NULL;
COMMENT ON TEXT SEARCH PARSER app.words IS NULL;
COMMENT ON TEXT SEARCH TEMPLATE app.simply IS NULL;
COMMENT ON TRANSFORM FOR integer LANGUAGE plother IS NULL;
