-- since: 18
CREATE TABLE app.newer (
    id integer CONSTRAINT must_be_there NOT NULL,
    base integer,
    virtual integer GENERATED ALWAYS AS (base * 2) VIRTUAL,
    CONSTRAINT newer_base_check CHECK (base > 0) NOT ENFORCED
);
ALTER TABLE app.newer ADD CONSTRAINT newer_base_later NOT NULL base NOT VALID;
CREATE TABLE app.rooms (
    room int4range, during tsrange,
    CONSTRAINT rooms_pkey PRIMARY KEY (room, during WITHOUT OVERLAPS)
);
COMMENT ON CONSTRAINT must_be_there ON app.newer IS 'really';
