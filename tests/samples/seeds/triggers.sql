-- Triggers of the application: they change values, refuse rows, write elsewhere, or want what only the end can show.
CREATE TABLE log (id bigserial PRIMARY KEY, what text NOT NULL, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE articles (id serial PRIMARY KEY, title text NOT NULL, slug text NOT NULL UNIQUE, words integer NOT NULL, status text NOT NULL);
CREATE FUNCTION articles_before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.slug := coalesce(nullif(regexp_replace(lower(NEW.title), '[^a-z]+', '-', 'g'), ''), 'none') || NEW.id;
    IF NEW.status NOT IN ('idea', 'written', 'out there') THEN
        RAISE EXCEPTION 'unknown status %', NEW.status;
    END IF;
    IF NEW.words < 0 THEN
        RAISE EXCEPTION 'an article has words' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO log (what) VALUES ('article ' || NEW.id);
    RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT OR UPDATE ON articles FOR EACH ROW EXECUTE FUNCTION articles_before();
CREATE TABLE totals (id serial PRIMARY KEY, sum integer NOT NULL DEFAULT 0);
CREATE TABLE amounts (id serial PRIMARY KEY, total_id integer NOT NULL REFERENCES totals, amount integer NOT NULL);
CREATE FUNCTION add_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE totals SET sum = sum + NEW.amount WHERE id = NEW.total_id;
    RETURN NULL;
END $$;
CREATE TRIGGER add_up AFTER INSERT ON amounts FOR EACH ROW EXECUTE FUNCTION add_up();
CREATE TABLE baskets (id serial PRIMARY KEY, owner text NOT NULL);
CREATE TABLE items (id serial PRIMARY KEY, basket_id integer NOT NULL REFERENCES baskets, name text NOT NULL);
CREATE FUNCTION no_empty_basket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM items WHERE basket_id = NEW.id) THEN
        RAISE EXCEPTION 'the basket % is empty', NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER no_empty_basket AFTER INSERT ON baskets DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION no_empty_basket();
CREATE TYPE odd AS (a text);
CREATE TABLE audited (id serial PRIMARY KEY, name text NOT NULL, changed_by text NOT NULL, changes integer NOT NULL);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed_by := 'somebody'; NEW.changes := 0; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON audited FOR EACH ROW EXECUTE FUNCTION stamp();
