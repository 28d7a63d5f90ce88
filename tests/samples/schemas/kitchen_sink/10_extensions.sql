CREATE SCHEMA extensions;
CREATE EXTENSION hstore SCHEMA extensions;
CREATE EXTENSION pg_trgm;
CREATE TABLE app.tagged (tags extensions.hstore, name text);
CREATE INDEX ix_tagged_name ON app.tagged USING gin (name gin_trgm_ops);
