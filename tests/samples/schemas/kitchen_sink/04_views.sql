CREATE VIEW app.happy_users WITH (security_barrier = true) AS
    SELECT id, email FROM public.users WHERE mood = 'happy' WITH LOCAL CHECK OPTION;
ALTER VIEW app.happy_users ALTER COLUMN email SET DEFAULT 'view@example.org';
COMMENT ON VIEW app.happy_users IS 'those who smile';
COMMENT ON COLUMN app.happy_users.email IS 'theirs';
CREATE MATERIALIZED VIEW app.user_counts AS SELECT mood, count(*) AS number FROM public.users GROUP BY mood;
CREATE UNIQUE INDEX user_counts_mood ON app.user_counts (mood);
CREATE MATERIALIZED VIEW app.empty_counts AS SELECT 1 AS one WITH NO DATA;
CREATE RECURSIVE VIEW app.numbers_to_three (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers_to_three WHERE n < 3;
