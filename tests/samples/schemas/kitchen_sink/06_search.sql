CREATE TEXT SEARCH PARSER app.words (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH TEMPLATE app.simply (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY app.plain_words (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION app.searching (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION app.searching ADD MAPPING FOR asciiword, word WITH app.plain_words, simple;
COMMENT ON TEXT SEARCH CONFIGURATION app.searching IS 'for titles';
