-- case: a check
-- changes: constraint public.users.users_email_check
ALTER TABLE public.users ADD CONSTRAINT users_email_check CHECK (email <> '');
-- back
ALTER TABLE public.users DROP CONSTRAINT users_email_check;

-- case: a check on what is there is validated
-- changes: constraint public.posts.posts_title_check
-- note: the constraint public.posts.posts_title_check is left validated
ALTER TABLE public.posts VALIDATE CONSTRAINT posts_title_check;
-- back

-- case: a check gets another name from PostgreSQL
-- changes: constraint public.users.users_price_check
-- left: constraint public.users.users_price_check
-- left: constraint public.users.users_price_check1
ALTER TABLE public.users DROP CONSTRAINT users_price_check;
-- back
ALTER TABLE public.users ADD CONSTRAINT users_price_check1 CHECK (price >= 0);

-- case: a check is renamed
-- changes: constraint public.users.users_born_check
-- changes: constraint public.users.users_is_alive
ALTER TABLE public.users RENAME CONSTRAINT users_born_check TO users_is_alive;
-- back
ALTER TABLE public.users RENAME CONSTRAINT users_is_alive TO users_born_check;

-- case: a foreign key
-- changes: column app.child.user_id
-- changes: constraint app.child.child_user
ALTER TABLE app.child ADD user_id bigint;
ALTER TABLE app.child ADD CONSTRAINT child_user FOREIGN KEY (user_id) REFERENCES public.users ON UPDATE CASCADE;
-- back
ALTER TABLE app.child DROP CONSTRAINT child_user;
ALTER TABLE app.child DROP user_id;

-- case: a foreign key without its action
-- changes: constraint public.posts.posts_user_id_fkey
ALTER TABLE public.posts DROP CONSTRAINT posts_user_id_fkey;
ALTER TABLE public.posts ADD CONSTRAINT posts_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users DEFERRABLE;
-- back
ALTER TABLE public.posts DROP CONSTRAINT posts_user_id_fkey;
ALTER TABLE public.posts ADD FOREIGN KEY (user_id) REFERENCES public.users ON DELETE CASCADE DEFERRABLE;

-- case: a foreign key is deferred
-- changes: constraint public.posts.posts_user_id_fkey
ALTER TABLE public.posts ALTER CONSTRAINT posts_user_id_fkey DEFERRABLE INITIALLY DEFERRED;
-- back
ALTER TABLE public.posts ALTER CONSTRAINT posts_user_id_fkey DEFERRABLE INITIALLY IMMEDIATE;

-- case: a foreign key to a partitioned table, and from one
-- changes: column app.readings.at
-- changes: column app.readings.place
-- changes: column app.readings_1.at
-- changes: column app.readings_1.place
-- changes: constraint app.readings.readings_at_place_fkey
-- changes: privilege table app.readings
-- changes: privilege table app.readings_1
-- changes: table app.readings
-- changes: table app.readings_1
CREATE TABLE app.readings (at timestamptz, place integer, FOREIGN KEY (at, place) REFERENCES app.measures)
    PARTITION BY LIST (place);
CREATE TABLE app.readings_1 PARTITION OF app.readings FOR VALUES IN (1);
-- back
DROP TABLE app.readings;

-- case: a unique constraint
-- changes: constraint public.posts.posts_title_key
ALTER TABLE public.posts ADD CONSTRAINT posts_title_key UNIQUE (title) DEFERRABLE;
-- back
ALTER TABLE public.posts DROP CONSTRAINT posts_title_key;

-- case: a unique constraint where NULL is equal to NULL
-- changes: constraint public.posts.posts_title_key
ALTER TABLE public.posts ADD CONSTRAINT posts_title_key UNIQUE NULLS NOT DISTINCT (title) INCLUDE (user_id);
-- back
ALTER TABLE public.posts DROP CONSTRAINT posts_title_key;

-- case: a unique constraint becomes an index
-- changes: comment constraint public.users.users_email_key
-- changes: constraint public.users.users_email_key
-- changes: index public.users_email_key
ALTER TABLE public.users DROP CONSTRAINT users_email_key;
CREATE UNIQUE INDEX users_email_key ON public.users (email);
-- back
DROP INDEX public.users_email_key;
ALTER TABLE public.users ADD CONSTRAINT users_email_key UNIQUE (email);
COMMENT ON CONSTRAINT users_email_key ON public.users IS 'one account an address';

-- case: options of a constraint's index
-- changes: constraint public.users.users_pkey
ALTER INDEX public.users_pkey SET (fillfactor = 60);
-- back
ALTER INDEX public.users_pkey RESET (fillfactor);

-- case: a table is clustered by its key
-- changes: constraint public.users.users_pkey
ALTER TABLE public.users CLUSTER ON users_pkey;
-- back
ALTER TABLE public.users SET WITHOUT CLUSTER;

-- case: an exclusion constraint
-- changes: constraint public.posts.posts_during_excl
ALTER TABLE public.posts DROP CONSTRAINT posts_during_excl;
ALTER TABLE public.posts ADD CONSTRAINT posts_during_excl EXCLUDE USING gist (during WITH &&) WHERE (user_id > 0);
-- back
ALTER TABLE public.posts DROP CONSTRAINT posts_during_excl;
ALTER TABLE public.posts ADD CONSTRAINT posts_during_excl EXCLUDE USING gist (during WITH &&);

-- case: no key
-- changes: constraint public.posts.posts_pkey
ALTER TABLE public.posts DROP CONSTRAINT posts_pkey;
-- back
ALTER TABLE public.posts ADD CONSTRAINT posts_pkey PRIMARY KEY (id);

-- case: a check of a parent
-- changes: constraint app.child.parent_small
-- changes: constraint app.parent.parent_small
ALTER TABLE app.parent ADD CONSTRAINT parent_small CHECK (id < 1000);
-- back
ALTER TABLE app.parent DROP CONSTRAINT parent_small;

-- case: a check of a child is its own too
-- changes: constraint app.child.parent_id_check
-- note: the privileges on table app.child are the same as before, but written differently
ALTER TABLE app.child ADD CONSTRAINT parent_id_check CHECK (id > 0);
-- back
DROP TABLE app.child;
CREATE TABLE app.child (extra text) INHERITS (app.parent);
REVOKE SELECT ON app.child FROM schema_reader;
ALTER PUBLICATION some_tables ADD TABLE ONLY app.child;

-- case: a check of a domain
-- changes: constraint app.email.email_is_short
ALTER DOMAIN app.email ADD CONSTRAINT email_is_short CHECK (length(VALUE) < 100) NOT VALID;
-- back
ALTER DOMAIN app.email DROP CONSTRAINT email_is_short;

-- case: a check is enforced
-- changes: constraint app.newer.newer_base_check
-- since: 18
ALTER TABLE app.newer DROP CONSTRAINT newer_base_check;
ALTER TABLE app.newer ADD CONSTRAINT newer_base_check CHECK (base > 0);
-- back
ALTER TABLE app.newer DROP CONSTRAINT newer_base_check;
ALTER TABLE app.newer ADD CONSTRAINT newer_base_check CHECK (base > 0) NOT ENFORCED;

-- case: a foreign key that is not enforced
-- changes: constraint public.posts.posts_user_id_fkey
-- since: 18
ALTER TABLE public.posts ALTER CONSTRAINT posts_user_id_fkey NOT ENFORCED;
-- back
ALTER TABLE public.posts ALTER CONSTRAINT posts_user_id_fkey ENFORCED;
