CREATE FOREIGN DATA WRAPPER wrapper OPTIONS (debug 'true');
CREATE SERVER remote TYPE 'postgres' VERSION '9.6' FOREIGN DATA WRAPPER wrapper
    OPTIONS (host 'db.example.org', port '5432', secret_token 'hunter2');
CREATE USER MAPPING FOR CURRENT_USER SERVER remote OPTIONS (user 'reader', password 'swordfish');
CREATE USER MAPPING FOR PUBLIC SERVER remote;
CREATE FOREIGN TABLE app.far_away (id integer OPTIONS (column_name 'nr') NOT NULL, name text) SERVER remote
    OPTIONS (schema_name 'public', table_name 'near');
COMMENT ON SERVER remote IS 'the old one';
