-- case: an operator
-- changes: operator app.<=>(text, text)
CREATE OPERATOR app.<=> (FUNCTION = app.compare, LEFTARG = text, RIGHTARG = text);
-- back
DROP OPERATOR app.<=> (text, text);

-- case: a prefix operator
-- changes: operator app.!!(NONE, integer)
CREATE OPERATOR app.!! (FUNCTION = int4abs, RIGHTARG = integer);
-- back
DROP OPERATOR app.!! (NONE, integer);

-- case: an operator's estimate
-- changes: operator app.=~=(text, text)
ALTER OPERATOR app.=~= (text, text) SET (RESTRICT = NONE);
-- back
ALTER OPERATOR app.=~= (text, text) SET (RESTRICT = eqsel);

-- case: an operator class
-- changes: operator class app.ints USING hash
-- changes: operator family app.ints USING hash
CREATE OPERATOR CLASS app.ints DEFAULT FOR TYPE app.label USING hash AS
    FUNCTION 1 (app.label, app.label) hashtext(text);
-- back
DROP OPERATOR FAMILY app.ints USING hash;

-- case: an operator family
-- changes: operator family app.more USING gist
CREATE OPERATOR FAMILY app.more USING gist;
-- back
DROP OPERATOR FAMILY app.more USING gist;

-- case: a member of an operator family
-- changes: operator family app.texts USING btree
ALTER OPERATOR FAMILY app.texts USING btree ADD OPERATOR 1 < (text, name), FUNCTION 1 (text, name) bttextnamecmp(text, name);
-- back
ALTER OPERATOR FAMILY app.texts USING btree DROP OPERATOR 1 (text, name), FUNCTION 1 (text, name);

-- case: an access method
-- changes: access method btree_too
CREATE ACCESS METHOD btree_too TYPE INDEX HANDLER bthandler;
-- back
DROP ACCESS METHOD btree_too;

-- case: a text search configuration
-- changes: text search configuration app.other
CREATE TEXT SEARCH CONFIGURATION app.other (COPY = pg_catalog.english);
-- back
DROP TEXT SEARCH CONFIGURATION app.other;

-- case: a mapping
-- changes: text search configuration app.searching
ALTER TEXT SEARCH CONFIGURATION app.searching ALTER MAPPING FOR word WITH simple;
-- back
ALTER TEXT SEARCH CONFIGURATION app.searching ALTER MAPPING FOR word WITH app.plain_words, simple;

-- case: a text search dictionary
-- changes: text search dictionary app.snow
CREATE TEXT SEARCH DICTIONARY app.snow (TEMPLATE = snowball, LANGUAGE = german);
-- back
DROP TEXT SEARCH DICTIONARY app.snow;

-- case: options of a text search dictionary
-- changes: text search dictionary app.plain_words
ALTER TEXT SEARCH DICTIONARY app.plain_words (STOPWORDS, ACCEPT = false);
-- back
ALTER TEXT SEARCH DICTIONARY app.plain_words (STOPWORDS = english, ACCEPT);

-- case: a text search parser
-- changes: text search parser app.words
DROP TEXT SEARCH PARSER app.words;
-- back
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);

-- case: a text search parser that has headlines
-- changes: text search parser app.words
DROP TEXT SEARCH PARSER app.words;
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
                                     HEADLINE = prsd_headline, LEXTYPES = prsd_lextype);
-- back
DROP TEXT SEARCH PARSER app.words;
CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);

-- case: a text search template
-- changes: text search template app.simply
DROP TEXT SEARCH TEMPLATE app.simply;
-- back
CREATE TEXT SEARCH TEMPLATE app.simply (INIT = dsimple_init, LEXIZE = dsimple_lexize);
