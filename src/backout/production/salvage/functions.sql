-- What taking and putting back have in common, as functions in the salvage's own schema. Each is made anew before it is
-- used, so that it is always that of the backout which uses it. A line of dashes stands between two statements.
--
-- Under the settings of the functions a text means the same whatever the session has set. Names are quoted already:
-- relations with their schema, columns as quote_ident writes them.

DO $backout$
BEGIN
    IF to_regnamespace('backout_salvage') IS NULL THEN
        CREATE SCHEMA backout_salvage;
        COMMENT ON SCHEMA backout_salvage IS
            'values that rollbacks would have lost, kept by backout: backout salvage list';
    END IF;
    IF to_regclass('backout_salvage.register') IS NULL THEN
        CREATE TABLE backout_salvage.register (
            id bigint PRIMARY KEY,
            revision text NOT NULL,
            parents text[] NOT NULL,
            taken_at timestamptz NOT NULL DEFAULT now(),
            taken_by text NOT NULL DEFAULT session_user,
            relation text NOT NULL,      -- the table that the values are from
            data regclass NOT NULL,      -- the table that they are in
            whole boolean NOT NULL,      -- whole rows, not only some columns
            keys text[] NOT NULL,        -- columns by which rows are found again; their values are in k1, k2 …
            columns text[] NOT NULL,     -- columns that are kept; their values are in v1, v2 …
            types text[] NOT NULL,       -- theirs
            sequences jsonb NOT NULL,    -- column → the last number that its sequence gave
            noted jsonb,                 -- what there was before the upgrade that puts back
            put_back_at timestamptz,
            put_back_by text             -- revision
        );
    END IF;
END
$backout$
------------------------------------------------------------------------------------------------------------------------
-- Default privileges may have granted it to others; nobody but the owner may see what is kept.
CREATE OR REPLACE FUNCTION backout_salvage.only_owner(relation regclass) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $backout$
DECLARE
    granted record;
BEGIN
    FOR granted IN
        SELECT 'SCHEMA backout_salvage' AS object, grantee
        FROM pg_namespace, aclexplode(nspacl) WHERE nspname = 'backout_salvage' AND grantee <> nspowner
        UNION SELECT format('TABLE %s', relation), grantee
        FROM pg_class, aclexplode(relacl) WHERE oid = relation AND grantee <> relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', granted.object,
            CASE granted.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(granted.grantee)) END);
    END LOOP;
END
$backout$
------------------------------------------------------------------------------------------------------------------------
-- Run a statement under the settings.
CREATE OR REPLACE FUNCTION backout_salvage.run(statement text) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET xmlbinary = 'base64' SET row_security = off AS $backout$
BEGIN
    EXECUTE statement;
END
$backout$
------------------------------------------------------------------------------------------------------------------------
-- An expression: a hash of a text, NULL for NULL.
CREATE OR REPLACE FUNCTION backout_salvage.hash_of(expression text) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp AS $backout$
    SELECT format('sha256(convert_to(%s, getdatabaseencoding()))', expression)
$backout$
------------------------------------------------------------------------------------------------------------------------
-- An expression over t: a hash of the whole row, whatever the order of the columns.
CREATE OR REPLACE FUNCTION backout_salvage.hash_of_row(relation regclass) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $backout$
    SELECT backout_salvage.hash_of(
        string_agg(format('%L || quote_nullable(t.%I::text)', quote_ident(attname), attname), ' || ' ORDER BY attname))
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
$backout$
------------------------------------------------------------------------------------------------------------------------
-- A condition over t and d: the row of the table is the one that was kept. NULL where the table lacks a column of the key.
CREATE OR REPLACE FUNCTION backout_salvage.same_row(relation regclass, data regclass, keys text[])
RETURNS text LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $backout$
    SELECT CASE WHEN count(*) > 0 AND bool_and(t.attname IS NOT NULL) THEN
        string_agg(
            CASE WHEN t.attname IS NULL THEN NULL
                 WHEN t.atttypid <> d.atttypid
                 THEN format('t.%I::text COLLATE "C" = d.%I::text COLLATE "C"', t.attname, d.attname)
                 WHEN t.attcollation <> 0
                 THEN format('t.%I COLLATE "C" = d.%I COLLATE "C"', t.attname, d.attname)
                 ELSE format('t.%I = d.%I', t.attname, d.attname) END,
            ' AND ' ORDER BY place) END
    FROM unnest(keys) WITH ORDINALITY AS key(name, place)
    JOIN pg_attribute AS d ON d.attrelid = data AND d.attname = 'k' || place
    LEFT JOIN pg_attribute AS t
        ON t.attrelid = relation AND quote_ident(t.attname) = key.name AND t.attnum > 0 AND NOT t.attisdropped
$backout$
------------------------------------------------------------------------------------------------------------------------
-- Behind the downgrade: remember what it has left in the rows, to see later whether anybody has changed them since. Where
-- there was nothing to keep, nothing is kept.
CREATE OR REPLACE FUNCTION backout_salvage.mark(number bigint) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET xmlbinary = 'base64' SET row_security = off AS $backout$
DECLARE
    kept backout_salvage.register;
    earlier backout_salvage.register;
    is_something boolean;
    relation regclass;
    same text;
BEGIN
    SELECT * INTO STRICT kept FROM backout_salvage.register WHERE id = number;
    -- What an earlier rollback of the revision has kept, and nobody has put back, is superseded, be it by nothing.
    FOR earlier IN SELECT * FROM backout_salvage.register AS r
                   WHERE r.revision = kept.revision AND r.relation = kept.relation AND id < number AND put_back_at IS NULL
    LOOP
        EXECUTE format('UPDATE %s SET outcome = %L WHERE outcome IS NULL', earlier.data, 'a later rollback has kept newer');
        UPDATE backout_salvage.register SET put_back_at = now(), put_back_by = kept.revision WHERE id = earlier.id;
    END LOOP;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', kept.data) INTO is_something;
    IF NOT is_something THEN
        DELETE FROM backout_salvage.register WHERE id = number;
        EXECUTE format('DROP TABLE %s', kept.data);
        RETURN;
    END IF;
    relation := to_regclass(kept.relation);
    same := backout_salvage.same_row(relation, kept.data, kept.keys);
    IF same IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format(
        'UPDATE %s AS d SET was_left = true, left_row = %s%s FROM %s%s AS t WHERE %s',
        kept.data, backout_salvage.hash_of_row(relation),
        (SELECT string_agg(format(', l%s = %s', place, backout_salvage.hash_of(format('t.%s::text', name))), '')
         FROM unnest(kept.columns) WITH ORDINALITY AS one(name, place) JOIN pg_attribute AS a
             ON a.attrelid = relation AND quote_ident(a.attname) = name AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT CASE relkind WHEN 'r' THEN 'ONLY ' END FROM pg_class WHERE oid = relation), kept.relation, same);
END
$backout$
------------------------------------------------------------------------------------------------------------------------
-- What there is of a table now: its OID and its columns' types; and the highest number of a column of every table, as
-- one of them may get this name, and columns may get others.
CREATE OR REPLACE FUNCTION backout_salvage.present(relation text) RETURNS jsonb LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $backout$
    SELECT jsonb_build_object(
        'relation', to_regclass(relation)::oid::bigint,
        'tables', (SELECT jsonb_object_agg(oid, relnatts) FROM pg_class WHERE relkind IN ('r', 'p') AND oid >= 16384),
        'columns', (SELECT jsonb_object_agg(quote_ident(attname), format_type(atttypid, atttypmod)) FROM pg_attribute
                    WHERE attrelid = to_regclass(relation) AND attnum > 0 AND NOT attisdropped))
$backout$
------------------------------------------------------------------------------------------------------------------------
-- Before an upgrade: note what there is, and which rows are still as the downgrade has left them.
CREATE OR REPLACE FUNCTION backout_salvage.note(numbers bigint[]) RETURNS void LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET xmlbinary = 'base64' SET row_security = off AS $backout$
DECLARE
    kept backout_salvage.register;
    relation regclass;
    same text;
BEGIN
    FOR kept IN SELECT * FROM backout_salvage.register WHERE id = ANY (numbers) ORDER BY id LOOP
        UPDATE backout_salvage.register SET noted = backout_salvage.present(kept.relation) WHERE id = kept.id;
        -- A row that the downgrade had taken away, and that nobody has put there since, is as it was left.
        EXECUTE format('UPDATE %s SET held_row = NOT was_left%s', kept.data,
            (SELECT string_agg(format(', h%s = false', place), '') FROM generate_subscripts(kept.columns, 1) AS place));
        relation := to_regclass(kept.relation);
        same := backout_salvage.same_row(relation, kept.data, kept.keys);
        CONTINUE WHEN same IS NULL;
        EXECUTE format(
            'UPDATE %s AS d SET held_row = was_left AND left_row IS NOT DISTINCT FROM %s%s FROM %s%s AS t WHERE %s',
            kept.data, backout_salvage.hash_of_row(relation),
            (SELECT string_agg(format(', h%s = was_left AND l%s IS NOT DISTINCT FROM %s', place, place,
                 backout_salvage.hash_of(format('t.%s::text', name))), '')
             FROM unnest(kept.columns) WITH ORDINALITY AS one(name, place) JOIN pg_attribute AS a
                 ON a.attrelid = relation AND quote_ident(a.attname) = name AND a.attnum > 0 AND NOT a.attisdropped),
            (SELECT CASE relkind WHEN 'r' THEN 'ONLY ' END FROM pg_class WHERE oid = relation), kept.relation, same);
    END LOOP;
END
$backout$
------------------------------------------------------------------------------------------------------------------------
-- Behind an upgrade: put the values of one table back that match, and tell of each row what has become of it.
--
-- upgrade, parents: the revision and those that it revises. chain: all revisions that there are files of.
-- path: the search path for what the table itself runs. is_behind: the upgrade is over, so that others may have written
-- since; then only what is NULL or a default in a new column, or as the downgrade has left it in an old one, is written
-- over.
CREATE OR REPLACE FUNCTION backout_salvage.put_back_one(
    kept backout_salvage.register, upgrade text, parents text[], chain text[], path text, is_behind boolean
) RETURNS void LANGUAGE plpgsql SET standard_conforming_strings = on
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET intervalstyle = 'postgres'
SET extra_float_digits = 1 SET bytea_output = 'hex' SET xmlbinary = 'base64' SET row_security = off AS $backout$
DECLARE
    relation regclass := to_regclass(kept.relation);
    source text;        -- the table, as it is read and updated
    same text;          -- condition: d is of the row t; NULL: no key
    is_new boolean;     -- the upgrade has made the table
    is_concerned boolean;
    held text;          -- condition: the row d is still as the downgrade has left it
    missing text[];     -- per column: why it cannot be put back
    nows text[];        -- per column: its type now
    may text[];         -- per column: condition that its value may be written over
    alike text;         -- condition: t has all that d has kept
    seek text;          -- without a key: finds the rows of d that the table has
    updating text;
    inserting text;
    behind text[] := '{}';  -- statements
    ranges bigint[][];
    low bigint;
    high bigint;
    refused integer := 0;
    refusal text;
    failed_constraint text;
    left_over bigint;
    left_before bigint := -1;
    one record;
BEGIN
    IF relation IS NULL THEN
        IF upgrade = kept.revision THEN
            EXECUTE format('UPDATE %s SET outcome = %L WHERE outcome IS NULL', kept.data, 'the table is gone');
            UPDATE backout_salvage.register SET put_back_at = now(), put_back_by = upgrade WHERE id = kept.id;
        END IF;
        RETURN;
    END IF;
    SELECT CASE relkind WHEN 'r' THEN 'ONLY ' ELSE '' END || kept.relation INTO source FROM pg_class WHERE oid = relation;
    is_new := kept.noted ->> 'relation' IS NULL
        AND kept.noted -> 'tables' -> relation::oid::text IS NULL;
    -- Of a table that had another name it is not known which rows are as they were left.
    held := CASE WHEN kept.noted ->> 'relation' IS NULL THEN 'false' WHEN is_behind THEN 'NOT d.was_left'
                 ELSE 'coalesce(d.held_row, false)' END;

    SELECT array_agg(CASE WHEN facts.number IS NULL THEN 'the column is gone'
                          WHEN facts.generated THEN 'the column is generated'
                          WHEN facts.base <> regexp_replace(facts.kept_type, '\([\d, -]+\)', '')
                          THEN 'the type is another' END ORDER BY facts.place),
           array_agg(facts.type ORDER BY facts.place),
           array_agg(CASE WHEN is_behind AND facts.is_added THEN facts.is_default
                          WHEN is_behind THEN format('(d.was_left AND d.l%s IS NOT DISTINCT FROM %s)', facts.place,
                               backout_salvage.hash_of(format('t.%s::text', facts.name)))
                          WHEN is_new THEN 'true'
                          WHEN facts.is_added THEN format('(%s OR %s)', held, facts.is_default)
                          ELSE format('(%s OR coalesce(d.h%s, false))', held, facts.place) END
                     ORDER BY facts.place),
           -- The revision itself; or, where that is no more, one that does the same.
           upgrade = kept.revision OR NOT kept.revision = ANY (chain) AND (
               is_new
               OR NOT kept.whole AND coalesce(bool_or(facts.is_added), false)
               OR coalesce(bool_or(facts.type = facts.kept_type AND facts.type <> facts.noted_type), false)
               OR parents @> kept.parents AND kept.parents @> parents AND bool_and(facts.number IS NOT NULL))
    INTO missing, nows, may, is_concerned
    FROM (
        SELECT place, name, kept_type, a.attnum AS number, a.attgenerated <> '' AS generated,
               format_type(a.atttypid, a.atttypmod) AS type,
               regexp_replace(format_type(a.atttypid, a.atttypmod), '\([\d, -]+\)', '') AS base,
               kept.noted -> 'columns' ->> name AS noted_type,
               kept.noted -> 'columns' ->> name IS NULL
                   AND a.attnum > coalesce((kept.noted -> 'tables' ->> relation::oid::text)::integer, 0) AS is_added,
               -- The upgrade has put nothing of its own there: nothing, the default, or what is drawn anew each time.
               CASE WHEN a.attidentity <> '' OR EXISTS (
                        SELECT FROM regexp_matches(d.adbin::text, 'funcid (\d+)', 'g') AS called(by)
                        JOIN pg_proc AS p ON p.oid = called.by[1]::oid WHERE p.provolatile = 'v') THEN 'true'
                    WHEN d.adbin IS NULL THEN format('t.%s IS NULL', name)
                    ELSE format('(t.%s IS NULL OR t.%s::text IS NOT DISTINCT FROM CAST(%s AS %s)::text)', name, name,
                         pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, a.atttypmod)) END AS is_default
        FROM unnest(kept.columns, kept.types) WITH ORDINALITY AS of_kept(name, kept_type, place)
        LEFT JOIN pg_attribute AS a
            ON a.attrelid = relation AND quote_ident(a.attname) = name AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    ) AS facts;
    IF NOT is_concerned THEN
        RETURN;
    END IF;

    IF is_behind THEN
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', source);
    END IF;
    same := backout_salvage.same_row(relation, kept.data, kept.keys);
    SELECT string_agg(format('t.%s::text IS NOT DISTINCT FROM d.v%s::text', name, place), ' AND ')
    INTO alike FROM unnest(kept.columns) WITH ORDINALITY AS of_kept(name, place) WHERE missing[place] IS NULL;
    IF alike IS NULL THEN
        EXECUTE format('UPDATE %s SET outcome = %L WHERE outcome IS NULL', kept.data, missing[1]);
        UPDATE backout_salvage.register SET put_back_at = now(), put_back_by = upgrade WHERE id = kept.id;
        RETURN;
    END IF;

    -- Which rows are there, and which of their values may be written over.
    EXECUTE format('UPDATE %s AS d SET found = false, insertable = %L OR %s%s WHERE outcome IS NULL', kept.data, is_new, held,
        (SELECT string_agg(format(', ok%s = %L', place, missing[place] IS NULL), '')
         FROM generate_subscripts(kept.columns, 1) AS place));
    IF same IS NOT NULL THEN
        EXECUTE format('UPDATE %s AS d SET found = true%s FROM %s AS t WHERE outcome IS NULL AND %s', kept.data,
            (SELECT string_agg(format(', ok%s = %s', place,
                 CASE WHEN missing[place] IS NULL
                      THEN format('(t.%s::text IS NOT DISTINCT FROM d.v%s::text OR %s)', name, place, may[place])
                      ELSE 'false' END), '')
             FROM unnest(kept.columns) WITH ORDINALITY AS of_kept(name, place)),
            source, same);
    ELSIF cardinality(kept.keys) = 0 THEN
        -- Rows without a key are told apart by nothing but their number: as many as there are alike, are there.
        seek := format(
            'UPDATE %s AS d SET found = true FROM (
                 SELECT n, text, row_number() OVER (PARTITION BY text ORDER BY n) AS turn
                 FROM (SELECT n, ARRAY[%s] AS text FROM %s AS d WHERE outcome IS NULL) AS one
             ) AS mine JOIN (SELECT text, count(*) AS number FROM (SELECT ARRAY[%s] AS text FROM %s AS t) AS one
                             GROUP BY text) AS there USING (text)
             WHERE mine.n = d.n AND mine.turn <= there.number',
            kept.data,
            (SELECT string_agg(format('d.v%s::text', place), ', ' ORDER BY place)
             FROM unnest(kept.columns) WITH ORDINALITY AS of_kept(name, place) WHERE missing[place] IS NULL),
            kept.data,
            (SELECT string_agg(format('t.%s::text', name), ', ' ORDER BY place)
             FROM unnest(kept.columns) WITH ORDINALITY AS of_kept(name, place) WHERE missing[place] IS NULL),
            source);
        EXECUTE seek;
    ELSE
        EXECUTE format('UPDATE %s SET outcome = %L WHERE outcome IS NULL', kept.data, 'the key is gone');
    END IF;

    -- Nobody writes here: what was there comes back. So the table's own triggers have nothing to do, and an identity
    -- takes the number that it gave. Where that is not allowed, the triggers run, and what they change is told.
    BEGIN
        SET CONSTRAINTS ALL IMMEDIATE;
        FOR one IN SELECT tgname, tgenabled FROM pg_trigger
                   WHERE tgrelid = relation AND NOT tgisinternal AND tgenabled IN ('O', 'A') LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', kept.relation, one.tgname);
            behind := behind || format('ALTER TABLE %s ENABLE %sTRIGGER %I', kept.relation,
                CASE one.tgenabled WHEN 'A' THEN 'ALWAYS ' ELSE '' END, one.tgname);
        END LOOP;
        FOR one IN SELECT attname FROM pg_attribute WHERE attrelid = relation AND attidentity = 'a'
                   AND quote_ident(attname) = ANY (kept.columns) LOOP
            EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET GENERATED BY DEFAULT', kept.relation, one.attname);
            behind := behind || format('ALTER TABLE %s ALTER COLUMN %I SET GENERATED ALWAYS', kept.relation, one.attname);
        END LOOP;
    EXCEPTION WHEN insufficient_privilege OR object_in_use OR integrity_constraint_violation THEN
        behind := '{}';
    END;

    SELECT format('UPDATE %s AS t SET %s FROM %s AS d WHERE %s AND d.outcome IS NULL AND d.found
                   AND d.n BETWEEN $1 AND $2 AND (%s) AND NOT (%s)',
               source,
               string_agg(format('%s = CASE WHEN d.ok%s AND %s THEN CAST(d.v%s AS %s) ELSE t.%s END', name, place,
                   CASE WHEN nows[place] = type THEN 'true'
                        ELSE format('CAST(d.v%s AS %s)::text IS NOT DISTINCT FROM d.v%s::text', place, nows[place], place)
                   END, place, nows[place], name), ', '),
               kept.data, coalesce(same, 'false'),
               string_agg(format('d.ok%s', place), ' OR '), alike)
    INTO updating
    FROM unnest(kept.columns, kept.types) WITH ORDINALITY AS of_kept(name, type, place) WHERE missing[place] IS NULL;
    IF kept.whole THEN
        SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM %s AS d
                       WHERE d.outcome IS NULL AND NOT d.found AND d.insertable AND d.n BETWEEN $1 AND $2 ORDER BY d.n',
                   kept.relation, string_agg(name, ', ' ORDER BY place),
                   string_agg(format('CAST(d.v%s AS %s)', place, nows[place]), ', ' ORDER BY place), kept.data)
        INTO inserting FROM unnest(kept.columns) WITH ORDINALITY AS of_kept(name, place) WHERE missing[place] IS NULL;
    END IF;

    -- All at once; where that is refused, halves of it, down to the rows that are refused.
    EXECUTE format('SELECT min(n), max(n) FROM %s WHERE outcome IS NULL', kept.data) INTO low, high;
    ranges := CASE WHEN low IS NULL THEN '{}' ELSE ARRAY[[low, high]] END;
    LOOP
        WHILE cardinality(ranges) > 0 LOOP
            low := ranges[1][1];
            high := ranges[1][2];
            ranges := ranges[2:];
            BEGIN
                PERFORM set_config('search_path', path, true);
                EXECUTE updating USING low, high;
                IF inserting IS NOT NULL THEN
                    EXECUTE inserting USING low, high;
                END IF;
                PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
            EXCEPTION WHEN OTHERS THEN
                IF SQLSTATE ~ '^(40|53|54|55|57|58|XX)' AND SQLSTATE <> '55P04' THEN
                    RAISE;  -- it is not the row's fault
                END IF;
                GET STACKED DIAGNOSTICS failed_constraint = CONSTRAINT_NAME;
                refusal := CASE
                    WHEN SQLSTATE = '23503' THEN format('a foreign key would break: %s', failed_constraint)
                    WHEN SQLSTATE LIKE '22%' THEN 'the type is another'
                    WHEN failed_constraint <> '' THEN format('%s refuses it', failed_constraint)
                    ELSE format('refused with %s', SQLSTATE) END;
                IF low = high OR refused >= 1000 THEN
                    refused := refused + 1;
                    EXECUTE format('UPDATE %s SET outcome = $1 WHERE outcome IS NULL AND n BETWEEN $2 AND $3', kept.data)
                        USING refusal, low, high;
                ELSE
                    ranges := ARRAY[[low, (low + high) / 2], [(low + high) / 2 + 1, high]] || ranges;
                END IF;
            END;
        END LOOP;
        -- A row may have come back by now that another one refers to.
        EXIT WHEN refused = 0 OR refused >= 1000 OR inserting IS NULL;
        EXECUTE format('SELECT array_agg(ARRAY[n, n] ORDER BY n), count(*) FROM %s WHERE outcome LIKE %L',
            kept.data, 'a foreign key would break%') INTO ranges, left_over;
        EXIT WHEN left_over = 0 OR left_over = left_before;
        left_before := left_over;
        EXECUTE format('UPDATE %s SET outcome = NULL WHERE outcome LIKE %L', kept.data, 'a foreign key would break%');
        refused := 0;
    END LOOP;

    FOR one IN SELECT statement FROM unnest(behind) AS statement LOOP
        EXECUTE one.statement;
    END LOOP;
    EXECUTE format(
        'UPDATE %s SET outcome = CASE WHEN NOT found AND NOT (%L AND insertable) THEN %L %s WHEN %s THEN %L ELSE %L END
         WHERE outcome IS NULL',
        kept.data, kept.whole, 'the row is gone',
        (SELECT string_agg(format('WHEN v%s IS NOT NULL THEN %L', place, missing[place]), ' ')
         FROM generate_subscripts(missing, 1) AS place WHERE missing[place] IS NOT NULL),
        (SELECT string_agg(format('NOT ok%s', place), ' OR ')
         FROM generate_subscripts(missing, 1) AS place WHERE missing[place] IS NULL),
        'changed since', 'put back');
    -- What was not taken as it was, is not back, whatever has changed it.
    IF same IS NOT NULL THEN
        EXECUTE format('UPDATE %s AS d SET outcome = %L WHERE outcome = %L AND NOT EXISTS (SELECT FROM %s AS t WHERE %s AND %s)',
            kept.data, 'the table took something else', 'put back', source, same, alike);
    ELSIF seek IS NOT NULL THEN
        EXECUTE format('UPDATE %s SET outcome = NULL, found = false WHERE outcome = %L', kept.data, 'put back');
        EXECUTE seek;
        EXECUTE format('UPDATE %s SET outcome = CASE WHEN found THEN %L ELSE %L END WHERE outcome IS NULL',
            kept.data, 'put back', 'the table took something else');
    END IF;

    FOR one IN SELECT key AS name, value::bigint AS last, pg_get_serial_sequence(kept.relation, key) AS sequence
               FROM jsonb_each_text(kept.sequences)
               JOIN pg_attribute ON attrelid = relation AND attname = key AND NOT attisdropped LOOP
        CONTINUE WHEN one.sequence IS NULL;
        EXECUTE format(
            'SELECT setval(%L, number) FROM (
                 SELECT CASE WHEN seqincrement > 0 THEN greatest(%L::bigint, (SELECT max(%I) FROM %s), (SELECT CASE WHEN is_called THEN last_value END FROM %s))
                             ELSE least(%L::bigint, (SELECT min(%I) FROM %s), (SELECT CASE WHEN is_called THEN last_value END FROM %s)) END,
                        seqmin, seqmax
                 FROM pg_sequence WHERE seqrelid = %L::regclass) AS one(number, least, most)
             WHERE number BETWEEN least AND most',
            one.sequence, one.last, one.name, kept.relation, one.sequence, one.last, one.name, kept.relation,
            one.sequence, one.sequence);
    END LOOP;
    UPDATE backout_salvage.register SET put_back_at = now(), put_back_by = upgrade WHERE id = kept.id;
END
$backout$
------------------------------------------------------------------------------------------------------------------------
-- Behind an upgrade: put back what matches, of these salvages.
--
-- behind: register's id → what there was before the upgrade; only once that is over.
CREATE OR REPLACE FUNCTION backout_salvage.put_back(
    numbers bigint[], upgrade text, parents text[], chain text[], path text, behind jsonb DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $backout$
DECLARE
    kept backout_salvage.register;
BEGIN
    -- The newest first: it supersedes what an older one has kept. Tables of one rollback in the order of their links.
    FOR kept IN SELECT * FROM backout_salvage.register WHERE id = ANY (numbers) ORDER BY taken_at DESC, id LOOP
        IF behind IS NOT NULL THEN
            kept.noted := behind -> kept.id::text;
        END IF;
        PERFORM backout_salvage.put_back_one(kept, upgrade, parents, chain, path, behind IS NOT NULL);
    END LOOP;
END
$backout$
