CREATE FUNCTION app.like_mood(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE FUNCTION app.compare(text, text) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT bttextcmp($1, $2)';
CREATE OPERATOR app.=~= (FUNCTION = app.like_mood, LEFTARG = text, RIGHTARG = text, COMMUTATOR = OPERATOR(app.=~=),
                         RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR app.=~= (text, text) IS 'alike';
CREATE OPERATOR FAMILY app.texts USING btree;
CREATE OPERATOR CLASS app.text_class FOR TYPE text USING btree FAMILY app.texts AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 app.compare(text, text);
COMMENT ON OPERATOR CLASS app.text_class USING btree IS 'as usual';
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE ACCESS METHOD gist_too TYPE INDEX HANDLER gisthandler;
CREATE TABLE app.on_heap_too (id int) USING heap_too;
CREATE CAST (app.mood AS integer) WITH INOUT AS ASSIGNMENT;
