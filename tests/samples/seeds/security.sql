-- Row security, unlogged tables, views with triggers, partitions that are foreign.
CREATE TABLE notes (id serial PRIMARY KEY, owner name NOT NULL, body text);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (owner = CURRENT_USER);
CREATE UNLOGGED TABLE cache (key text PRIMARY KEY, value bytea NOT NULL);
CREATE VIEW visible AS SELECT id, body FROM notes;
CREATE FUNCTION into_notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO notes (owner, body) VALUES ('x', NEW.body); RETURN NEW; END $$;
CREATE TRIGGER instead INSTEAD OF INSERT ON visible FOR EACH ROW EXECUTE FUNCTION into_notes();
CREATE TABLE also (id integer);
CREATE RULE also AS ON INSERT TO also DO ALSO INSERT INTO cache VALUES (NEW.id::text, '') ON CONFLICT DO NOTHING;
-- assumes: public.notes has row security, which does not hold for backout's role
-- never-null: public.also.id
