-- Every built-in type, NULL and NOT NULL.
CREATE TABLE everything (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    a_text text, a_varchar varchar(40), a_wide varchar(5000), a_char char(12), a_one char, a_name name, an_internal "char",
    a_small smallint, an_int integer, a_big bigint, a_real real, a_double double precision,
    a_numeric numeric, a_price numeric(10, 2), a_share numeric(3, 3), a_round numeric(6, -2), a_tiny numeric(2, 5),
    some_money money, a_bool boolean,
    a_date date, a_time time, a_time_0 time(0), a_timetz timetz, a_stamp timestamp, a_stamp_3 timestamp(3),
    a_moment timestamptz, a_moment_0 timestamptz(0), an_interval interval, a_month_interval interval year to month,
    a_json json, a_jsonb jsonb, a_path jsonpath, some_bytes bytea, a_uuid uuid,
    an_inet inet, a_cidr cidr, a_mac macaddr, a_mac8 macaddr8, some_bits bit(9), some_varbits bit varying(20),
    a_vector tsvector, a_query tsquery, an_lsn pg_lsn, an_oid oid, a_class regclass, a_type regtype, a_config regconfig,
    a_point point, a_line line, an_lseg lseg, a_box box, a_geo_path path, a_polygon polygon, a_circle circle,
    an_int_range int4range, a_big_range int8range, a_num_range numrange, a_day_range daterange, a_stamp_range tsrange,
    a_moment_range tstzrange, int_ranges int4multirange, moment_ranges tstzmultirange,
    texts text[], short_texts varchar(3)[], ints integer[], prices numeric(10, 2)[], moments timestamptz[], uuids uuid[],
    documents jsonb[], ranges int4range[], points point[], blobs bytea[], a_snapshot pg_snapshot, an_xid8 xid8
);
CREATE TABLE everything_required (
    a_text text NOT NULL, a_varchar varchar(40) NOT NULL, a_char char(12) NOT NULL, a_one char NOT NULL,
    a_small smallint NOT NULL, an_int integer NOT NULL, a_big bigint NOT NULL, a_real real NOT NULL,
    a_double double precision NOT NULL, a_numeric numeric NOT NULL, a_price numeric(10, 2) NOT NULL,
    a_share numeric(3, 3) NOT NULL, some_money money NOT NULL, a_bool boolean NOT NULL, a_date date NOT NULL,
    a_time time NOT NULL, a_timetz timetz NOT NULL, a_stamp timestamp NOT NULL, a_moment timestamptz NOT NULL,
    an_interval interval NOT NULL, a_json json NOT NULL, a_jsonb jsonb NOT NULL, some_bytes bytea NOT NULL,
    a_uuid uuid NOT NULL, an_inet inet NOT NULL, a_cidr cidr NOT NULL, a_mac macaddr NOT NULL, some_bits bit(9) NOT NULL,
    a_vector tsvector NOT NULL, a_query tsquery NOT NULL, a_point point NOT NULL, a_day_range daterange NOT NULL,
    moment_ranges tstzmultirange NOT NULL, texts text[] NOT NULL, ints integer[] NOT NULL
);
-- Every type that can be a key, as one.
CREATE TABLE key_text (k text PRIMARY KEY);
CREATE TABLE key_short (k varchar(2) PRIMARY KEY);
CREATE TABLE key_char (k char(3) PRIMARY KEY);
CREATE TABLE key_small (k smallint PRIMARY KEY);
CREATE TABLE key_int (k integer PRIMARY KEY);
CREATE TABLE key_numeric (k numeric(4, 2) PRIMARY KEY);
CREATE TABLE key_double (k double precision PRIMARY KEY);
CREATE TABLE key_bool (k boolean PRIMARY KEY);
CREATE TABLE key_date (k date PRIMARY KEY);
CREATE TABLE key_moment (k timestamptz PRIMARY KEY);
CREATE TABLE key_uuid (k uuid PRIMARY KEY);
CREATE TABLE key_bytes (k bytea PRIMARY KEY);
CREATE TABLE key_jsonb (k jsonb PRIMARY KEY);
CREATE TABLE key_inet (k inet PRIMARY KEY);
CREATE TABLE key_array (k integer[] PRIMARY KEY);
CREATE TABLE key_range (k int4range PRIMARY KEY);
CREATE TABLE key_bits (k bit(8) PRIMARY KEY);
CREATE TABLE key_interval (k interval PRIMARY KEY);
CREATE TABLE key_mac (k macaddr PRIMARY KEY);
CREATE TABLE child_of_text (k text REFERENCES key_text, d date NOT NULL REFERENCES key_date, r int4range REFERENCES key_range);
-- rows: public.key_bool 2
