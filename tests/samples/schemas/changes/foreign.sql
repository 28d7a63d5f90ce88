-- case: a foreign data wrapper
-- changes: foreign data wrapper other_wrapper
CREATE FOREIGN DATA WRAPPER other_wrapper NO VALIDATOR;
-- back
DROP FOREIGN DATA WRAPPER other_wrapper;

-- case: options of a foreign data wrapper
-- changes: foreign data wrapper wrapper
ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (SET debug 'false');
-- back
ALTER FOREIGN DATA WRAPPER wrapper OPTIONS (SET debug 'true');

-- case: a server
-- changes: foreign server nearer
CREATE SERVER nearer FOREIGN DATA WRAPPER wrapper;
-- back
DROP SERVER nearer;

-- case: a server's version and options
-- changes: foreign server remote
ALTER SERVER remote VERSION '16' OPTIONS (SET host 'new.example.org', DROP port);
-- back
ALTER SERVER remote VERSION '9.6' OPTIONS (SET host 'db.example.org', ADD port '5432');

-- case: a user mapping
-- changes: user mapping FOR schema_reader SERVER remote
CREATE USER MAPPING FOR schema_reader SERVER remote OPTIONS (password 'open sesame');
-- back
DROP USER MAPPING FOR schema_reader SERVER remote;

-- case: another password
-- changes: user mapping FOR CURRENT_ROLE SERVER remote
ALTER USER MAPPING FOR CURRENT_USER SERVER remote OPTIONS (SET password 'tuna');
-- back
ALTER USER MAPPING FOR CURRENT_USER SERVER remote OPTIONS (SET password 'swordfish');

-- case: a foreign table
-- changes: column public.abroad.at
-- changes: column public.abroad.id
-- changes: foreign table public.abroad
CREATE FOREIGN TABLE public.abroad (id integer, at date DEFAULT now()) SERVER remote;
-- back
DROP FOREIGN TABLE public.abroad;

-- case: options of a foreign table
-- changes: foreign table app.far_away
ALTER FOREIGN TABLE app.far_away OPTIONS (SET table_name 'nearer', ADD fetch_size '10');
-- back
ALTER FOREIGN TABLE app.far_away OPTIONS (SET table_name 'near', DROP fetch_size);

-- case: options of a foreign column
-- changes: column app.far_away.id
ALTER FOREIGN TABLE app.far_away ALTER id OPTIONS (SET column_name 'number');
-- back
ALTER FOREIGN TABLE app.far_away ALTER id OPTIONS (SET column_name 'nr');

-- case: a foreign table as a partition
-- changes: column app.abroad.name
-- changes: column app.countries.name
-- changes: foreign table app.abroad
-- changes: privilege foreign table app.abroad
-- changes: privilege table app.countries
-- changes: table app.countries
CREATE TABLE app.countries (name text) PARTITION BY LIST (name);
CREATE FOREIGN TABLE app.abroad PARTITION OF app.countries FOR VALUES IN ('elsewhere') SERVER remote;
-- back
DROP TABLE app.countries;
