-- case: an index
-- changes: index public.ix_users_born
CREATE INDEX ix_users_born ON public.users (born);
-- back
DROP INDEX public.ix_users_born;

-- case: an index on something else under the same name
-- changes: comment index public.ix_users_mood
-- changes: index public.ix_users_mood
DROP INDEX public.ix_users_mood;
CREATE INDEX ix_users_mood ON public.users (mood);
-- back
DROP INDEX public.ix_users_mood;
CREATE INDEX ix_users_mood ON public.users (mood) WHERE mood <> 'sad';
COMMENT ON INDEX public.ix_users_mood IS 'for the happy';

-- case: an index becomes a unique one
-- changes: index public.ix_users_lower
DROP INDEX public.ix_users_lower;
CREATE UNIQUE INDEX ix_users_lower ON public.users (lower(email), born DESC);
-- back
DROP INDEX public.ix_users_lower;
CREATE INDEX ix_users_lower ON public.users (lower(email), born DESC);

-- case: an index by another method, with another operator class
-- changes: index public.ix_posts_user_id
DROP INDEX public.ix_posts_user_id;
CREATE INDEX ix_posts_user_id ON public.posts USING hash (user_id);
-- back
DROP INDEX public.ix_posts_user_id;
CREATE INDEX ix_posts_user_id ON public.posts (user_id) INCLUDE (title) WITH (fillfactor = 80);

-- case: an index is renamed
-- changes: comment index public.ix_users_mood
-- changes: comment index public.ix_users_temper
-- changes: index public.ix_users_mood
-- changes: index public.ix_users_temper
ALTER INDEX public.ix_users_mood RENAME TO ix_users_temper;
-- back
ALTER INDEX public.ix_users_temper RENAME TO ix_users_mood;

-- case: options of an index
-- changes: index public.ix_posts_user_id
ALTER INDEX public.ix_posts_user_id SET (fillfactor = 50);
-- back
ALTER INDEX public.ix_posts_user_id SET (fillfactor = 80);

-- case: a statistics target of an expression
-- changes: index public.ix_users_lower
ALTER INDEX public.ix_users_lower ALTER 1 SET STATISTICS 400;
-- back
ALTER INDEX public.ix_users_lower ALTER 1 SET STATISTICS -1;

-- case: an index of a partitioned table
-- changes: index app.ix_measures_place
-- changes: index app.measures_2024_place_idx
-- changes: index app.measures_rest_1_place_idx
-- changes: index app.measures_rest_place_idx
CREATE INDEX ix_measures_place ON app.measures (place);
-- back
DROP INDEX app.ix_measures_place;

-- case: an index of the partitioned table only, which stays invalid
-- changes: index app.ix_measures_place
CREATE INDEX ix_measures_place ON ONLY app.measures (place);
-- back
DROP INDEX app.ix_measures_place;

-- case: an index of ranges
-- changes: index public.ix_posts_during
CREATE INDEX ix_posts_during ON public.posts USING gist (during) WITH (buffering = on);
-- back
DROP INDEX public.ix_posts_during;

-- case: an index of a materialized view
-- changes: index app.user_counts_mood
DROP INDEX app.user_counts_mood;
-- back
CREATE UNIQUE INDEX user_counts_mood ON app.user_counts (mood);
