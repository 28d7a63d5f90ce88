-- case: a publication
-- changes: publication other
-- changes: publication table other app.loose
CREATE PUBLICATION other FOR TABLE app.loose;
-- back
DROP PUBLICATION other;

-- case: another table in a publication
-- changes: publication table some_tables app.loose
ALTER PUBLICATION some_tables ADD TABLE app.loose (at, place);
-- back
ALTER PUBLICATION some_tables DROP TABLE app.loose;

-- case: another condition
-- changes: publication table some_tables public.users
ALTER PUBLICATION some_tables SET TABLE public.users (id, email) WHERE (id > 20), app.parent;
-- back
ALTER PUBLICATION some_tables SET TABLE public.users (id, email) WHERE (id > 10), app.parent;

-- case: other operations
-- changes: publication some_tables
ALTER PUBLICATION some_tables SET (publish = 'insert, update, delete');
-- back
ALTER PUBLICATION some_tables SET (publish = 'insert, update');

-- case: a schema in a publication
-- changes: publication schema whole_schema app
ALTER PUBLICATION whole_schema ADD TABLES IN SCHEMA app;
-- back
ALTER PUBLICATION whole_schema DROP TABLES IN SCHEMA app;

-- case: generated columns are published
-- changes: publication all_tables
-- since: 18
ALTER PUBLICATION all_tables SET (publish_generated_columns = stored);
-- back
ALTER PUBLICATION all_tables SET (publish_generated_columns = none);

-- case: a subscription
-- changes: subscription incoming
CREATE SUBSCRIPTION incoming CONNECTION 'host=nowhere.example.org password=swordfish' PUBLICATION far
    WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false);
-- back
DROP SUBSCRIPTION incoming;

-- case: a subscription of other publications
-- changes: subscription incoming
CREATE SUBSCRIPTION incoming CONNECTION 'host=nowhere.example.org' PUBLICATION far
    WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false);
ALTER SUBSCRIPTION incoming SET PUBLICATION far, near WITH (refresh = false);
ALTER SUBSCRIPTION incoming SET (binary = true, synchronous_commit = 'local');
-- back
DROP SUBSCRIPTION incoming;
