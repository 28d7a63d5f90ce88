CREATE PUBLICATION some_tables FOR TABLE public.users (id, email) WHERE (id > 10), app.parent WITH (publish = 'insert, update');
CREATE PUBLICATION all_tables FOR ALL TABLES;
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA "Odd Schema" WITH (publish_via_partition_root);
