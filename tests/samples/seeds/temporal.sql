-- What version 18 brought: keys WITHOUT OVERLAPS, PERIOD, virtual columns, constraints that are not enforced.
-- needs: btree_gist
-- since: 18
CREATE EXTENSION btree_gist;
CREATE TABLE prices (product integer NOT NULL, valid daterange NOT NULL, price numeric(8, 2) NOT NULL, PRIMARY KEY (product, valid WITHOUT OVERLAPS));
CREATE TABLE offers (id uuid PRIMARY KEY DEFAULT uuidv7(), product integer NOT NULL, valid daterange NOT NULL, FOREIGN KEY (product, PERIOD valid) REFERENCES prices (product, PERIOD valid));
CREATE TABLE computed (a integer NOT NULL, b integer GENERATED ALWAYS AS (a % 10), c text, CHECK (b < 5), d text GENERATED ALWAYS AS (upper(c)) VIRTUAL);
CREATE TABLE lax (id serial PRIMARY KEY, n integer CHECK (n > 1000000) NOT ENFORCED, other integer REFERENCES lax NOT ENFORCED, m integer, CONSTRAINT filled NOT NULL m NOT VALID);
