-- Checks by regular expressions, also on keys and on those that refer to them.
CREATE TABLE objects (
    digest char(64) PRIMARY KEY CHECK (digest ~ '^[A-F0-9]{64}$'),
    slug varchar(80) NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(?:-[a-z0-9]+)*$'),
    phone text CHECK (phone ~ '^\+[1-9]\d{6,14}$'), version text NOT NULL CHECK (version ~ '^v?\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$'),
    color varchar(7) CHECK (color ~* '^#[a-f0-9]{6}$'), word text NOT NULL CHECK (word ~ '\mword\M'), posix text NOT NULL CHECK (posix ~ '^[[:upper:]][[:lower:]]+ [[:digit:]]{2}$'),
    similar_to text NOT NULL CHECK (similar_to SIMILAR TO '(a|b)%[0-9]_'), plate text CHECK (plate ~ '^[A-Z]{1,3}-[A-Z]{1,2} [1-9][0-9]{0,3}$'), no_space text NOT NULL CHECK (no_space !~ '\s'),
    twice text CHECK (twice ~ '^(\w\w)\1$'), url text CHECK (url ~ '^https?://[^\s/$.?#].[^\s]*$'), account text NOT NULL CHECK (account ~ '^(acct|cus)_[A-Za-z0-9]{14,24}$'), hour text CHECK (hour ~ '^([01]\d|2[0-3]):[0-5]\d$')
);
CREATE TABLE copies (id serial PRIMARY KEY, of char(64) NOT NULL REFERENCES objects, note text);
CREATE TABLE copies_of_copies (copy_id integer NOT NULL REFERENCES copies, of char(64) UNIQUE REFERENCES objects);
