"""The queries for every kind of object that is no part of a table: types, routines, operators, text search, foreign
data, replication and the rest of what ``pg_dump`` would print.

Not here: tables (``schema.tables``), sending the queries (``schema.reading``). Only ``schema.reading``
imports it.
"""

# ruff: noqa: S608 - what is put into the SQL are OIDs and phrases of our own

from backout.schema.facts import FIRST, Facts, Query, called_for, clause, enabled, function, own, qualified, role


def kind_queries(facts: Facts) -> dict[str, Query]:
    """The queries that these facts call for, by name."""
    return called_for(
        facts,
        {
            **_types(facts),
            **_routines(facts),
            **_operators(facts),
            **_text_search(facts),
            **_foreign(facts),
            **_replication(facts),
            **_others(facts),
        },
    )


def _types(facts: Facts) -> dict[str, Query]:
    ours = own(facts, "pg_type", "t", "typnamespace")
    collate = "CASE WHEN {0} <> 0 AND {0} <> {1} THEN 'COLLATE ' || {0}::regcollation END"
    named_not_null = """'CONSTRAINT ' || (SELECT quote_ident(conname) FROM pg_constraint
                         WHERE contypid = t.oid AND contype = 'n' AND conname <> t.typname || '_not_null')"""
    return {
        "enums": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'type', t.oid::regtype::text,
                   'ENUM (' || coalesce((SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
                                         FROM pg_enum WHERE enumtypid = t.oid), '') || ')',
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t WHERE t.typtype = 'e' AND {ours}
            """,
            "types e",
        ),
        "domains": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'domain', t.oid::regtype::text,
                   concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
                     {collate.format("t.typcollation", "b.typcollation")},
                     'DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)),
                     CASE WHEN t.typnotnull THEN concat_ws(' ', {named_not_null}, 'NOT NULL') END),
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND {ours}
            """,
            "types d",
        ),
        "domain constraints": Query(
            "pg_constraint",
            f"""
            SELECT k.oid, 'constraint', k.contypid::regtype || '.' || quote_ident(k.conname),
                   CASE WHEN k.contype = 'c' THEN pg_get_constraintdef(k.oid) END, NULL, NULL::text[]
            FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid WHERE {ours}
            """,
            "types d",
        ),
        "composites": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'type', t.oid::regtype::text,
                   'AS (' || coalesce((
                      SELECT string_agg(concat_ws(' ', quote_ident(attname), format_type(atttypid, atttypmod),
                               {collate.format("a.attcollation", "b.typcollation")}), ', ' ORDER BY attnum)
                      FROM pg_attribute a JOIN pg_type b ON b.oid = atttypid
                      WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped), '') || ')',
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind = 'c' AND {ours}
            """,
            "relations c",
        ),
        "ranges": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'type', t.oid::regtype::text,
                   'RANGE (' || concat_ws(', ', {clause("SUBTYPE", "r.rngsubtype::regtype")},
                     {clause("SUBTYPE_OPCLASS", qualified("o.opcnamespace", "o.opcname"))},
                     {clause("COLLATION", "nullif(r.rngcollation, 0)::regcollation")},
                     {clause("CANONICAL", function("r.rngcanonical"))},
                     {clause("SUBTYPE_DIFF", function("r.rngsubdiff"))},
                     {clause("MULTIRANGE_TYPE_NAME", "r.rngmultitypid::regtype")}) || ')',
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_opclass o ON o.oid = r.rngsubopc
            WHERE {ours}
            """,
            "types r",
        ),
        "base types": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'type', t.oid::regtype::text,
                   CASE WHEN NOT t.typisdefined THEN 'SHELL' ELSE 'BASE (' || concat_ws(', ',
                     {clause("INPUT", function("t.typinput"))}, {clause("OUTPUT", function("t.typoutput"))},
                     {clause("RECEIVE", function("t.typreceive"))}, {clause("SEND", function("t.typsend"))},
                     {clause("TYPMOD_IN", function("t.typmodin"))}, {clause("TYPMOD_OUT", function("t.typmodout"))},
                     {clause("ANALYZE", function("t.typanalyze"))},
                     {clause("SUBSCRIPT", function("t.typsubscript"))},
                     {clause("INTERNALLENGTH", "t.typlen")}, CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
                     {clause("ALIGNMENT", "t.typalign::text")}, {clause("STORAGE", "t.typstorage::text")},
                     {clause("CATEGORY", "t.typcategory::text")}, CASE WHEN t.typispreferred THEN 'PREFERRED' END,
                     {clause("DEFAULT", "quote_literal(t.typdefault)")},
                     {clause("ELEMENT", "nullif(t.typelem, 0)::regtype")},
                     {clause("DELIMITER", "quote_literal(t.typdelim::text)")},
                     CASE WHEN t.typcollation <> 0 THEN 'COLLATABLE' END) || ')' END,
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t
            WHERE {ours} AND (NOT t.typisdefined OR t.typtype = 'b' AND t.typarray <> 0)
            """,
            "types b",
        ),
        "casts": Query(
            "pg_cast",
            f"""
            SELECT c.oid, 'cast', format('(%s AS %s)', c.castsource::regtype, c.casttarget::regtype),
                   concat_ws(' ', CASE c.castmethod WHEN 'i' THEN 'WITH INOUT' WHEN 'b' THEN 'WITHOUT FUNCTION'
                                  ELSE 'WITH FUNCTION ' || c.castfunc::regprocedure END,
                             CASE c.castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT' END),
                   NULL, NULL::text[]
            FROM pg_cast c WHERE {own(facts, "pg_cast", "c")}
              AND NOT EXISTS (SELECT FROM pg_range WHERE rngtypid = c.castsource AND rngmultitypid = c.casttarget)
            """,
            "pg_cast",
        ),
        "collations": Query(
            "pg_collation",
            f"""
            SELECT c.oid, 'collation', c.oid::regcollation::text,
                   concat_ws(', ', 'PROVIDER = ' || CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu'
                                                         WHEN 'b' THEN 'builtin' ELSE c.collprovider::text END,
                     {clause("LC_COLLATE", "quote_literal(c.collcollate)")},
                     {clause("LC_CTYPE", "quote_literal(c.collctype)")},
                     {clause("LOCALE", f"quote_literal({_collation_locale(facts)})")},
                     {clause("RULES", "quote_literal(c.collicurules)") if facts.version >= 160000 else "NULL"},
                     CASE WHEN NOT c.collisdeterministic THEN 'DETERMINISTIC = false' END),
                   pg_get_userbyid(c.collowner), NULL::text[]
            FROM pg_collation c WHERE {own(facts, "pg_collation", "c", "collnamespace")}
            """,
            "pg_collation",
        ),
        "conversions": Query(
            "pg_conversion",
            f"""
            SELECT c.oid, 'conversion', {qualified("c.connamespace", "c.conname")},
                   format('%sFOR %L TO %L FROM %s', CASE WHEN c.condefault THEN 'DEFAULT ' END,
                     pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
                     c.conproc::oid::regprocedure),
                   pg_get_userbyid(c.conowner), NULL::text[]
            FROM pg_conversion c WHERE {own(facts, "pg_conversion", "c", "connamespace")}
            """,
            "pg_conversion",
        ),
    }


def _collation_locale(facts: Facts) -> str:
    if facts.version >= 170000:
        return "c.colllocale"
    return "c.colliculocale" if facts.version >= 150000 else "NULL::text"


def _routines(facts: Facts) -> dict[str, Query]:
    arguments = """coalesce((SELECT string_agg(format_type(type, NULL), ', ' ORDER BY number)
                             FROM unnest(p.proargtypes) WITH ORDINALITY AS argument (type, number)), '')"""
    name = f"{qualified('p.pronamespace', 'p.proname')} || '(' || {arguments} || ')'"
    ours = own(facts, "pg_proc", "p", "pronamespace")
    modify = (
        "'FINALFUNC_MODIFY = ' || CASE a.{0} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END"
    )
    return {
        "routines": Query(
            "pg_proc",
            f"""
            SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, {name},
                   rtrim(pg_get_functiondef(p.oid), E' \\n'), pg_get_userbyid(p.proowner), p.proacl::text[]
            FROM pg_proc p WHERE p.prokind <> 'a' AND {ours}
              AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid
                                AND deptype = 'i')
            """,
            "routines",
        ),
        "aggregates": Query(
            "pg_proc",
            f"""
            SELECT p.oid, 'aggregate', {name},
                   format('AGGREGATE %s(%s) (', CASE a.aggkind WHEN 'h' THEN 'HYPOTHETICAL ' END,
                          pg_get_function_arguments(p.oid))
                   || concat_ws(', ',
                     {clause("SFUNC", function("a.aggtransfn"))}, {clause("STYPE", "a.aggtranstype::regtype")},
                     {clause("SSPACE", "nullif(a.aggtransspace, 0)")},
                     {clause("FINALFUNC", function("a.aggfinalfn"))},
                     CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                     CASE WHEN a.aggfinalfn <> 0 THEN {modify.format("aggfinalmodify")} END,
                     {clause("COMBINEFUNC", function("a.aggcombinefn"))},
                     {clause("SERIALFUNC", function("a.aggserialfn"))},
                     {clause("DESERIALFUNC", function("a.aggdeserialfn"))},
                     {clause("INITCOND", "quote_literal(a.agginitval)")},
                     {clause("MSFUNC", function("a.aggmtransfn"))},
                     {clause("MINVFUNC", function("a.aggminvtransfn"))},
                     {clause("MSTYPE", "nullif(a.aggmtranstype, 0)::regtype")},
                     {clause("MSSPACE", "nullif(a.aggmtransspace, 0)")},
                     {clause("MFINALFUNC", function("a.aggmfinalfn"))},
                     CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
                     CASE WHEN a.aggmfinalfn <> 0 THEN 'M' || {modify.format("aggmfinalmodify")} END,
                     {clause("MINITCOND", "quote_literal(a.aggminitval)")},
                     {clause("SORTOP", "nullif(a.aggsortop, 0)::regoperator")},
                     CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END)
                   || ')',
                   pg_get_userbyid(p.proowner), p.proacl::text[]
            FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE {ours}
            """,
            "aggregates",
        ),
        "languages": Query(
            "pg_language",
            f"""
            SELECT l.oid, 'language', quote_ident(l.lanname),
                   concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'TRUSTED' END, 'LANGUAGE',
                     'HANDLER ' || {function("l.lanplcallfoid")}, 'INLINE ' || {function("l.laninline")},
                     'VALIDATOR ' || {function("l.lanvalidator")}),
                   pg_get_userbyid(l.lanowner), l.lanacl::text[]
            FROM pg_language l WHERE {own(facts, "pg_language", "l")}
            """,
            "pg_language",
        ),
        "transforms": Query(
            "pg_transform",
            f"""
            SELECT t.oid, 'transform', format('FOR %s LANGUAGE %I', t.trftype::regtype, l.lanname),
                   concat_ws(', ', 'FROM SQL WITH FUNCTION ' || {function("t.trffromsql")},
                                   'TO SQL WITH FUNCTION ' || {function("t.trftosql")}), NULL, NULL::text[]
            FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE {own(facts, "pg_transform", "t")}
            """,
            "pg_transform",
        ),
        "event triggers": Query(
            "pg_event_trigger",
            f"""
            SELECT e.oid, 'event trigger', quote_ident(e.evtname),
                   concat_ws(' ', 'ON ' || e.evtevent,
                     'WHEN TAG IN (' || (SELECT string_agg(quote_literal(tag), ', ' ORDER BY tag)
                                         FROM unnest(e.evttags) AS tag) || ')',
                     'EXECUTE FUNCTION ' || e.evtfoid::oid::regprocedure, {enabled("e.evtenabled")}),
                   pg_get_userbyid(e.evtowner), NULL::text[]
            FROM pg_event_trigger e WHERE {own(facts, "pg_event_trigger", "e")} AND e.evtname !~ '^_backout'
            """,
            "pg_event_trigger",
        ),
    }


def _operators(facts: Facts) -> dict[str, Query]:
    members = """
        SELECT string_agg(member, ', ' ORDER BY member) FROM (
          SELECT format('OPERATOR %s %s%s', lpad(m.amopstrategy::text, 2), m.amopopr::regoperator,
                        CASE WHEN m.amopsortfamily <> 0 THEN
                          (SELECT ' FOR ORDER BY ' || {family} FROM pg_opfamily f WHERE f.oid = m.amopsortfamily) END)
          FROM pg_depend d JOIN pg_amop m ON m.oid = d.objid
          WHERE d.classid = 'pg_amop'::regclass AND d.refclassid = '{catalog}'::regclass AND d.refobjid = {oid}
          UNION ALL
          SELECT format('FUNCTION %s (%s, %s) %s', lpad(r.amprocnum::text, 2), r.amproclefttype::regtype,
                        r.amprocrighttype::regtype, r.amproc::oid::regprocedure)
          FROM pg_depend d JOIN pg_amproc r ON r.oid = d.objid
          WHERE d.classid = 'pg_amproc'::regclass AND d.refclassid = '{catalog}'::regclass AND d.refobjid = {oid}
        ) AS members (member)
    """
    family = qualified("f.opfnamespace", "f.opfname")
    return {
        "operators": Query(
            "pg_operator",
            f"""
            SELECT o.oid, 'operator', format('%s.%s(%s, %s)', o.oprnamespace::regnamespace, o.oprname,
                     CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
                     format_type(o.oprright, NULL)),
                   concat_ws(', ', {clause("FUNCTION", function("o.oprcode"))},
                     {clause("COMMUTATOR", "nullif(o.oprcom, 0)::regoperator")},
                     {clause("NEGATOR", "nullif(o.oprnegate, 0)::regoperator")},
                     {clause("RESTRICT", function("o.oprrest"))}, {clause("JOIN", function("o.oprjoin"))},
                     CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END),
                   pg_get_userbyid(o.oprowner), NULL::text[]
            FROM pg_operator o WHERE o.oprcode <> 0 AND {own(facts, "pg_operator", "o", "oprnamespace")}
            """,
            "pg_operator",
        ),
        "operator classes": Query(
            "pg_opclass",
            f"""
            SELECT o.oid, 'operator class', {qualified("o.opcnamespace", "o.opcname")}
                     || ' USING ' || quote_ident(m.amname),
                   concat_ws(' ', CASE WHEN o.opcdefault THEN 'DEFAULT' END, 'FOR TYPE ' || o.opcintype::regtype,
                     'FAMILY ' || {family}, 'STORAGE ' || nullif(o.opckeytype, 0)::regtype,
                     'AS ' || ({members.format(catalog="pg_opclass", oid="o.oid", family=family)})),
                   pg_get_userbyid(o.opcowner), NULL::text[]
            FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_opfamily f ON f.oid = o.opcfamily
            WHERE {own(facts, "pg_opclass", "o", "opcnamespace")}
            """,
            "pg_opclass",
        ),
        "operator families": Query(
            "pg_opfamily",
            f"""
            SELECT f.oid, 'operator family', {family} || ' USING ' || quote_ident(m.amname),
                   concat_ws(' ', 'OPERATOR FAMILY',
                     'ADD ' || ({members.format(catalog="pg_opfamily", oid="f.oid", family=family)})),
                   pg_get_userbyid(f.opfowner), NULL::text[]
            FROM pg_opfamily f JOIN pg_am m ON m.oid = f.opfmethod
            WHERE {own(facts, "pg_opfamily", "f", "opfnamespace")}
            """,
            "pg_opfamily",
        ),
        "access methods": Query(
            "pg_am",
            f"""
            SELECT a.oid, 'access method', quote_ident(a.amname),
                   format('TYPE %s HANDLER %s', CASE a.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END,
                          a.amhandler::oid::regprocedure), NULL, NULL::text[]
            FROM pg_am a WHERE {own(facts, "pg_am", "a")}
            """,
            "pg_am",
        ),
    }


def _text_search(facts: Facts) -> dict[str, Query]:
    return {
        "text search configurations": Query(
            "pg_ts_config",
            f"""
            SELECT c.oid, 'text search configuration', c.oid::regconfig::text,
                   concat_ws(', ', 'PARSER = ' || (SELECT {qualified("prsnamespace", "prsname")}
                                                   FROM pg_ts_parser WHERE oid = c.cfgparser),
                     (SELECT string_agg(mapping, ', ' ORDER BY mapping) FROM (
                        SELECT format('%s WITH %s', quote_ident(t.alias),
                                      string_agg(m.mapdict::regdictionary::text, ' ' ORDER BY m.mapseqno)) AS mapping
                        FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
                        WHERE m.mapcfg = c.oid GROUP BY t.alias) AS mappings)),
                   pg_get_userbyid(c.cfgowner), NULL::text[]
            FROM pg_ts_config c WHERE {own(facts, "pg_ts_config", "c", "cfgnamespace")}
            """,
            "pg_ts_config",
        ),
        "text search dictionaries": Query(
            "pg_ts_dict",
            f"""
            SELECT d.oid, 'text search dictionary', d.oid::regdictionary::text,
                   concat_ws(', ', 'TEMPLATE = ' || (SELECT {qualified("tmplnamespace", "tmplname")}
                                                     FROM pg_ts_template WHERE oid = d.dicttemplate),
                             d.dictinitoption),
                   pg_get_userbyid(d.dictowner), NULL::text[]
            FROM pg_ts_dict d WHERE {own(facts, "pg_ts_dict", "d", "dictnamespace")}
            """,
            "pg_ts_dict",
        ),
        "text search parsers": Query(
            "pg_ts_parser",
            f"""
            SELECT p.oid, 'text search parser', {qualified("p.prsnamespace", "p.prsname")},
                   concat_ws(', ', {clause("START", function("p.prsstart"))},
                     {clause("GETTOKEN", function("p.prstoken"))}, {clause("END", function("p.prsend"))},
                     {clause("HEADLINE", function("p.prsheadline"))}, {clause("LEXTYPES", function("p.prslextype"))}),
                   NULL, NULL::text[]
            FROM pg_ts_parser p WHERE {own(facts, "pg_ts_parser", "p", "prsnamespace")}
            """,
            "pg_ts_parser",
        ),
        "text search templates": Query(
            "pg_ts_template",
            f"""
            SELECT t.oid, 'text search template', {qualified("t.tmplnamespace", "t.tmplname")},
                   concat_ws(', ', {clause("INIT", function("t.tmplinit"))},
                     {clause("LEXIZE", function("t.tmpllexize"))}), NULL, NULL::text[]
            FROM pg_ts_template t WHERE {own(facts, "pg_ts_template", "t", "tmplnamespace")}
            """,
            "pg_ts_template",
        ),
    }


def _foreign(facts: Facts) -> dict[str, Query]:
    return {
        "foreign data wrappers": Query(
            "pg_foreign_data_wrapper",
            f"""
            SELECT w.oid, 'foreign data wrapper', quote_ident(w.fdwname),
                   concat_ws(' ', 'FOREIGN DATA WRAPPER', 'HANDLER ' || {function("w.fdwhandler")},
                             'VALIDATOR ' || {function("w.fdwvalidator")}),
                   pg_get_userbyid(w.fdwowner), w.fdwacl::text[]
            FROM pg_foreign_data_wrapper w WHERE {own(facts, "pg_foreign_data_wrapper", "w")}
            """,
            "pg_foreign_data_wrapper",
        ),
        "foreign servers": Query(
            "pg_foreign_server",
            f"""
            SELECT s.oid, 'foreign server', quote_ident(s.srvname),
                   concat_ws(' ', 'SERVER', 'TYPE ' || quote_literal(s.srvtype),
                             'VERSION ' || quote_literal(s.srvversion),
                             'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)),
                   pg_get_userbyid(s.srvowner), s.srvacl::text[]
            FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
            WHERE {own(facts, "pg_foreign_server", "s")}
            """,
            "pg_foreign_data_wrapper",
        ),
        "user mappings": Query(
            "pg_user_mapping",
            f"""
            SELECT m.umid, 'user mapping', format('FOR %s SERVER %I', {role(facts, "m.umuser")}, m.srvname),
                   'USER MAPPING', NULL, NULL::text[]
            FROM pg_user_mappings m WHERE m.srvid >= {FIRST}
            """,
            "pg_foreign_data_wrapper",
        ),
    }


def _replication(facts: Facts) -> dict[str, Query]:
    members = facts.version >= 150000  # lists of columns, conditions and whole schemas
    subscription = ["enabled", "binary", "stream", "slotname", "synccommit"]
    subscription += ["twophasestate", "disableonerr"] if facts.version >= 150000 else []
    subscription += ["origin", "passwordrequired", "runasowner"] if facts.version >= 160000 else []
    subscription += ["failover"] if facts.version >= 170000 else []
    settings = ", ".join(clause(name, f"s.sub{name}::text") for name in subscription)
    queries = {
        "publications": Query(
            "pg_publication",
            f"""
            SELECT p.oid, 'publication', quote_ident(p.pubname),
                   concat_ws(' ', 'PUBLICATION', CASE WHEN p.puballtables THEN 'FOR ALL TABLES' END,
                     format('WITH (publish = %L', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
                       CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END,
                       CASE WHEN p.pubtruncate THEN 'truncate' END))
                     || CASE WHEN p.pubviaroot THEN ', publish_via_partition_root' ELSE '' END
                     || {
                "CASE p.pubgencols WHEN 's' THEN ', publish_generated_columns = stored' ELSE '' END"
                if facts.version >= 180000
                else "''"
            } || ')'),
                   pg_get_userbyid(p.pubowner), NULL::text[]
            FROM pg_publication p WHERE {own(facts, "pg_publication", "p")}
            """,
            "pg_publication",
        ),
        "publication tables": Query(
            "pg_publication_rel",
            f"""
            SELECT m.oid, 'publication table', format('%I %s', p.pubname, m.prrelid::regclass),
                   concat_ws(' ', 'TABLE' {_PUBLISHED if members else ""}), NULL, NULL::text[]
            FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid
            """,
            "pg_publication",
        ),
        "subscriptions": Query(
            "pg_subscription",
            f"""
            SELECT s.oid, 'subscription', quote_ident(s.subname),
                   format('PUBLICATION %s WITH (%s)',
                     (SELECT string_agg(quote_ident(name), ', ' ORDER BY name) FROM unnest(s.subpublications) AS name),
                     concat_ws(', ', {settings})),
                   pg_get_userbyid(s.subowner), NULL::text[]
            FROM pg_subscription s WHERE s.subdbid = {facts.database}
            """,
            "pg_subscription",
        ),
    }
    if members:
        queries["publication schemas"] = Query(
            "pg_publication_namespace",
            """
            SELECT m.oid, 'publication schema', format('%I %s', p.pubname, m.pnnspid::regnamespace),
                   'TABLES IN SCHEMA', NULL, NULL::text[]
            FROM pg_publication_namespace m JOIN pg_publication p ON p.oid = m.pnpubid
            """,
            "pg_publication",
        )
    return queries


_PUBLISHED = """,
    '(' || (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute
            WHERE attrelid = m.prrelid AND attnum = ANY (m.prattrs::int2[])) || ')',
    'WHERE ' || pg_get_expr(m.prqual, m.prrelid)
"""


def _others(facts: Facts) -> dict[str, Query]:
    return {
        "extensions": Query(
            "pg_extension",
            f"""
            SELECT oid, 'extension', quote_ident(extname),
                   format('SCHEMA %s VERSION %L', extnamespace::regnamespace, extversion),
                   CASE WHEN oid >= {FIRST} THEN pg_get_userbyid(extowner) END, NULL::text[]
            FROM pg_extension
            """,
        ),
        "settings": Query(
            "pg_db_role_setting",
            f"""
            SELECT 0, 'setting',
                   concat_ws(' ', 'database', CASE WHEN s.setrole <> 0 THEN 'role ' || {role(facts, "s.setrole")} END,
                             split_part(setting, '=', 1)),
                   substr(setting, strpos(setting, '=') + 1), NULL, NULL::text[]
            FROM pg_db_role_setting s, unnest(s.setconfig) AS setting
            WHERE s.setdatabase = {facts.database}
            """,
            "pg_db_role_setting",
        ),
        "large objects": Query(
            "pg_largeobject",
            """
            SELECT 0, 'large objects', 'all', count(*)::text, NULL, NULL::text[] FROM pg_largeobject_metadata
            HAVING count(*) > 0
            """,
            "pg_largeobject_metadata",
        ),
    }
