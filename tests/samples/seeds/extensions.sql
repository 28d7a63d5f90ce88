-- Types of extensions.
-- needs: citext, hstore, ltree, cube, seg, isn
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE EXTENSION cube;
CREATE EXTENSION seg;
CREATE EXTENSION isn;
CREATE TABLE accounts (
    email citext PRIMARY KEY CHECK (email LIKE '%@%'),
    nickname citext NOT NULL,
    attributes hstore NOT NULL DEFAULT '',
    place ltree, place_query lquery, solid cube, measured seg, book isbn, product ean13,
    nicknames citext[], settings hstore CHECK (settings ? 'theme')
);
CREATE TABLE sessions (id serial PRIMARY KEY, account citext NOT NULL REFERENCES accounts, route ltree UNIQUE);
