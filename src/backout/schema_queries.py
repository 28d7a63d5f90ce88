# ruff: noqa: S608 - what is put into the SQL are OIDs, and names that the caller made literals
"""The SQL that reads PostgreSQL's catalogues, one query a kind of object: what ``pg_dump`` would print.

First come the facts: what there is at all. Only what they call for is asked then, because parsing and planning cost
more than reading: most databases hold nothing of most kinds. Names and definitions are written under a search path that
finds nothing but PostgreSQL's own, so that all others come with their schema.

Left out everywhere: what belongs to an extension, PostgreSQL's own objects, temporary ones, those called ``_backout…``.

Not here: sending the queries and putting their rows together (``schema``, which alone imports this). Layer 1.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

# What a user creates has at least this OID (manual, "System Catalog Initial Data": FirstNormalObjectId).
FIRST = 16384
CATALOG_SCHEMA = 11  # pg_catalog
PUBLIC_SCHEMA = 2200  # that of the schema which initdb makes; one that was created anew has another
HEAP = 2  # the built-in access method of tables
OURS = "^_backout"

# Under these, text is the same in every session (manual, "Client Connection Defaults"); jit only costs time here.
SETTINGS = {
    "search_path": "pg_catalog, pg_temp",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "lc_monetary": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "jit": "off",
}

# Catalogues of which a new database has none or no row at all: one whose file is empty needs no look.
EMPTY_AT_FIRST = (
    "pg_db_role_setting", "pg_default_acl", "pg_enum", "pg_event_trigger", "pg_foreign_data_wrapper",
    "pg_foreign_server", "pg_foreign_table", "pg_inherits", "pg_largeobject_metadata", "pg_partitioned_table",
    "pg_policy", "pg_publication", "pg_publication_namespace", "pg_publication_rel", "pg_seclabel", "pg_sequence",
    "pg_statistic_ext", "pg_subscription", "pg_transform", "pg_trigger", "pg_user_mapping",
)  # fmt: skip
# Those that hold PostgreSQL's own from the start.
NEVER_EMPTY = (
    "pg_am", "pg_cast", "pg_collation", "pg_conversion", "pg_language", "pg_opclass", "pg_operator", "pg_opfamily",
    "pg_proc", "pg_rewrite", "pg_tablespace", "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template",
)  # fmt: skip
OTHER_GATES = {
    "aggregates": f"FROM pg_proc WHERE oid >= {FIRST} AND prokind = 'a'",
    "domains": f"FROM pg_type WHERE oid >= {FIRST} AND typtype = 'd'",
    "composites": f"FROM pg_class WHERE oid >= {FIRST} AND relkind = 'c'",
    "ranges": f"FROM pg_range WHERE rngtypid >= {FIRST}",
    # Every base type has an array type, which itself has none.
    "base types": f"""FROM pg_type WHERE oid >= {FIRST} AND (NOT typisdefined OR typtype = 'b' AND typarray <> 0)""",
}


@dataclass(frozen=True)
class Facts:
    """What the queries depend on.

    :param version: ``server_version_num``.
    :param database: its OID.
    :param owner: of the database, its OID.
    :param schemas: OIDs of the user's.
    :param ignored: OIDs of relations to leave out.
    :param builtin_extensions: OIDs of those that every new database has.
    :param filled: catalogues, and other gates, that hold something of the user's.
    :param members: catalogue → OIDs of what belongs to an extension.
    """

    version: int
    database: int
    owner: int
    schemas: tuple[int, ...]
    ignored: tuple[int, ...]
    builtin_extensions: tuple[int, ...]
    filled: frozenset[str]
    members: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Query:
    """A query whose rows are entries or, for ``parts``, parts of a relation.

    Entry: ``(oid, kind, name, definition, owner, privileges)``. Part: ``(oid, relation, kind, its own name,
    definition)``; its full name begins with the relation's.

    :param catalog: whose OIDs the first column has.
    :param gate: what must be filled for it to be worth asking.
    """

    catalog: str
    sql: str
    gate: str | None = None
    parts: bool = False


def fact_queries(ignored: Collection[str]) -> dict[str, str]:
    """What must be known first.

    :param ignored: relations to leave out, as SQL literals of their quoted names.
    """
    names = ", ".join(f"to_regclass({name})" for name in ignored)
    filled = ", ".join(f"'{name}'" for name in EMPTY_AT_FIRST)
    gates = {name: f"FROM {name} WHERE oid >= {FIRST}" for name in NEVER_EMPTY} | OTHER_GATES
    exists = ", ".join(f"CASE WHEN EXISTS (SELECT {gate}) THEN '{name}' END" for name, gate in gates.items())
    return {
        "database": f"""
            SELECT oid, datdba, array_remove(ARRAY[{names}]::oid[], NULL), array_remove(ARRAY[{exists}], NULL),
                   ARRAY(SELECT oid FROM pg_extension WHERE oid < {FIRST}), datacl::text[]
            FROM pg_database WHERE datname = current_database()""",
        "filled": f"""
            SELECT relname::text FROM pg_class
            WHERE relnamespace = {CATALOG_SCHEMA} AND relname IN ({filled}) AND pg_relation_size(oid) > 0""",
        "schemas": f"""
            SELECT oid, quote_ident(nspname), pg_get_userbyid(nspowner),
                   CASE WHEN nspname = 'public' THEN coalesce(nspacl, acldefault('n', nspowner)) ELSE nspacl END::text[]
            FROM pg_namespace WHERE (oid >= {FIRST} OR oid = {PUBLIC_SCHEMA}) AND nspname !~ '^pg_'""",
        "members": """
            SELECT classid::regclass::text, array_agg(objid) FROM pg_depend
            WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' GROUP BY classid""",
        "roles": "SELECT rolname::text, quote_ident(rolname) FROM pg_roles",
        # What nobody granted or revoked: (kind of object, privileges, owner).
        "natural privileges": """
            SELECT kind::text, acldefault(kind, datdba)::text[], pg_get_userbyid(datdba)
            FROM pg_database, unnest('{c,r,s,d,f,l,n,T,F,S}'::"char"[]) AS kind
            WHERE datname = current_database()""",
    }


def entry_queries(facts: Facts) -> dict[str, Query]:
    """The queries for entries that these facts call for, by name."""
    queries = {
        "extensions": Query(
            "pg_extension",
            """
            SELECT oid, 'extension', quote_ident(extname),
                   format('SCHEMA %s VERSION %L', extnamespace::regnamespace, extversion),
                   pg_get_userbyid(extowner), NULL::text[]
            FROM pg_extension
            """,
        ),
        **_relations(facts),
        **_parts(facts),
        **_types(facts),
        **_routines(facts),
        **_operators(facts),
        **_text_search(facts),
        **_foreign(facts),
        **_replication(facts),
        **_others(facts),
    }
    return {name: query for name, query in queries.items() if query.gate is None or query.gate in facts.filled}


def addition_queries(facts: Facts) -> dict[str, Query]:
    """What is added to definitions: ``(oid, text)``."""
    queries = {
        "inheritance": Query(
            "pg_class",
            """
            SELECT c.oid, CASE WHEN c.relkind IN ('i', 'I') THEN 'ATTACHED TO ' || min(h.inhparent::regclass::text)
                   WHEN c.relispartition THEN
                     concat_ws(' ', 'PARTITION OF', min(h.inhparent::regclass::text),
                               pg_get_expr(c.relpartbound, c.oid),
                               CASE WHEN bool_or(h.inhdetachpending) THEN 'DETACH PENDING' END)
                   ELSE format('INHERITS (%s)', string_agg(h.inhparent::regclass::text, ', ' ORDER BY h.inhseqno)) END
            FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
            GROUP BY c.oid, c.relkind, c.relispartition, c.relpartbound
            """,
            "pg_inherits",
        ),
        "partitioning": Query(
            "pg_class",
            "SELECT partrelid, 'PARTITION BY ' || pg_get_partkeydef(partrelid) FROM pg_partitioned_table",
            "pg_partitioned_table",
        ),
        "access methods of tables": Query(
            "pg_class",
            f"""
            SELECT c.oid, 'USING ' || quote_ident(m.amname) FROM pg_class c JOIN pg_am m ON m.oid = c.relam
            WHERE c.relam <> {HEAP} AND c.relkind IN ('r', 'p', 'm')
            """,
            "pg_am",
        ),
        "tablespaces": Query(
            "pg_class",
            "SELECT c.oid, 'TABLESPACE ' || quote_ident(s.spcname) FROM pg_class c JOIN pg_tablespace s "
            "ON s.oid = c.reltablespace",
            "pg_tablespace",
        ),
        "servers of foreign tables": Query(
            "pg_class",
            """
            SELECT f.ftrelid, 'SERVER ' || quote_ident(s.srvname)
            FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
            """,
            "pg_foreign_table",
        ),
    }
    return {name: query for name, query in queries.items() if query.gate in facts.filled}


def _not(facts: Facts, oid: str, catalog: str) -> str:
    """The condition that an object is the user's own."""
    members = facts.members.get(catalog, ())
    if catalog == "pg_class":
        members += facts.ignored
    theirs = f" AND {oid} <> ALL ('{{{','.join(map(str, members))}}}'::oid[])" if members else ""
    return f"{oid} >= {FIRST}{theirs}"


def _own(facts: Facts, catalog: str, alias: str, schema: str | None = None) -> str:
    """The same, for an object with an OID; ``schema`` is the column that has its schema's."""
    condition = _not(facts, f"{alias}.oid", catalog)
    return condition if schema is None else f"{condition} AND {_in_schemas(facts, f'{alias}.{schema}')}"


def _in_schemas(facts: Facts, column: str) -> str:
    return f"{column} = ANY ('{{{','.join(map(str, facts.schemas))}}}'::oid[])"


def _qualified(schema: str, name: str) -> str:
    return f"{schema}::regnamespace || '.' || quote_ident({name})"


def _options(column: str) -> str:
    """``WITH (…)`` of an array of ``name=value``, in the order of the names, or NULL."""
    return f"""'WITH (' || (SELECT string_agg(option, ', ' ORDER BY option) FROM unnest({column}) AS option) || ')'"""


def _role(facts: Facts, oid: str) -> str:
    """A role's name. The database's owner goes without one: it is another on every server."""
    return f"""CASE {oid} WHEN 0 THEN 'PUBLIC' WHEN {facts.owner} THEN 'CURRENT_ROLE'
                    ELSE quote_ident(pg_get_userbyid({oid})) END"""


def _set(word: str, value: str) -> str:
    """``WORD = value``, or NULL."""
    return f"'{word} = ' || {value}"


def _function(oid: str) -> str:
    """A function's name with its arguments, or NULL for none."""
    return f"nullif({oid}::oid, 0)::regprocedure"


def _enabled(column: str) -> str:
    return f"CASE {column} WHEN 'D' THEN 'DISABLED' WHEN 'A' THEN 'ENABLED ALWAYS' WHEN 'R' THEN 'ENABLED REPLICA' END"


def _relations(facts: Facts) -> dict[str, Query]:
    own = _own(facts, "pg_class", "c", "relnamespace")
    return {
        "tables": Query(
            "pg_class",
            f"""
            SELECT c.oid, CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END, c.oid::regclass::text,
                   concat_ws(' ', CASE WHEN c.relpersistence = 'u' THEN 'UNLOGGED' END,
                     CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
                     CASE WHEN c.reloftype <> 0 THEN 'OF ' || c.reloftype::regtype END,
                     CASE WHEN c.reloptions IS NOT NULL THEN {_options("c.reloptions")} END,
                     CASE WHEN t.reloptions IS NOT NULL THEN 'TOAST ' || {_options("t.reloptions")} END,
                     CASE WHEN c.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
                     CASE WHEN c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
                     CASE WHEN c.relkind <> 'f' THEN CASE c.relreplident WHEN 'n' THEN 'REPLICA IDENTITY NOTHING'
                                                                         WHEN 'f' THEN 'REPLICA IDENTITY FULL' END END),
                   pg_get_userbyid(c.relowner), c.relacl::text[]
            FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
            WHERE c.relkind IN ('r', 'p', 'f') AND {own}
            """,
        ),
        "views": Query(
            "pg_class",
            f"""
            SELECT c.oid, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.oid::regclass::text,
                   concat_ws(' ', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END,
                     {_options("c.reloptions")},
                     CASE c.relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' END,
                     'AS ' || rtrim(ltrim(pg_get_viewdef(c.oid)), ';'),
                     CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'WITH NO DATA' END),
                   pg_get_userbyid(c.relowner), c.relacl::text[]
            FROM pg_class c WHERE c.relkind IN ('v', 'm') AND {own}
            """,
            "pg_rewrite",
        ),
    }


def index_query(facts: Facts) -> str:
    """Indexes: ``(oid, relation, name, definition, more of it, options)``.

    A constraint's index is told by the constraint; that of a unique one is only known from there.
    """
    return f"""
    SELECT c.oid, i.indrelid, c.oid::regclass::text,
           CASE WHEN NOT i.indisprimary AND NOT i.indisexclusion THEN pg_get_indexdef(c.oid) END,
           concat_ws(' ', CASE WHEN NOT i.indisvalid THEN 'INVALID' END,
                          CASE WHEN i.indisclustered THEN 'CLUSTER ON' END,
                          CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END),
           CASE WHEN c.reloptions IS NOT NULL THEN {_options("c.reloptions")} END
    FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid
    WHERE c.relkind IN ('i', 'I') AND {_own(facts, "pg_class", "c", "relnamespace")}
    """


def constraint_query() -> str:
    """Constraints of tables: ``(oid, relation, quoted name, definition, index)``. NOT NULL is told by the column."""
    return f"""
    SELECT oid, conrelid, quote_ident(conname),
           pg_get_constraintdef(oid) || CASE WHEN contype = 'c' AND NOT conislocal THEN ' INHERITED' ELSE '' END,
           CASE WHEN contype <> 'f' THEN conindid ELSE 0 END
    FROM pg_constraint
    WHERE conrelid >= {FIRST} AND contype IN ('c', 'f', 'p', 'u', 'x') AND (contype <> 'f' OR conparentid = 0)
    """


def column_query(facts: Facts) -> str:
    """Columns in their order: ``(relation, number, quoted name, type, not null, its special words, identity, rest,
    privileges)``. Of indexes, only the columns that have a statistics target.

    The special words are the raw names of table, column and constraint, the constraint's quoted name and the rest.
    """
    special, join = "NULL::text[]", ""
    if facts.version >= 180000:
        words = """concat_ws(' ', CASE WHEN k.connoinherit THEN 'NO INHERIT' END,
                                  CASE WHEN NOT k.convalidated THEN 'NOT VALID' END,
                                  CASE WHEN k.conislocal AND k.coninhcount > 0 AND NOT c.relispartition
                                       THEN 'LOCAL' END)"""
        special = f"""CASE WHEN k.conname::text <> c.relname || '_' || a.attname || '_not_null' OR k.connoinherit
                             OR NOT k.convalidated OR k.conislocal AND k.coninhcount > 0
                      THEN ARRAY[c.relname, a.attname, k.conname, quote_ident(k.conname), {words}]::text[] END"""
        join = """LEFT JOIN pg_constraint k ON k.conrelid = a.attrelid AND k.conkey[1] = a.attnum
                    AND k.contype = 'n'"""
    return f"""
    SELECT a.attrelid, a.attnum, quote_ident(a.attname),
           CASE WHEN a.attcollation = 0 OR a.attcollation = t.typcollation THEN format_type(a.atttypid, a.atttypmod)
                ELSE format_type(a.atttypid, a.atttypmod) || ' COLLATE ' || a.attcollation::regcollation END,
           a.attnotnull, {special}, a.attidentity::text,
           concat_ws(' ',
             CASE WHEN a.atthasdef THEN
               CASE a.attgenerated WHEN '' THEN 'DEFAULT ' || pg_get_expr(d.adbin, 0)
               ELSE format('GENERATED ALWAYS AS (%s) %s', pg_get_expr(d.adbin, d.adrelid),
                           CASE a.attgenerated WHEN 'v' THEN 'VIRTUAL' ELSE 'STORED' END) END END,
             CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN'
               WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
             CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END,
             CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END,
             CASE WHEN a.attoptions IS NOT NULL THEN {_options("a.attoptions")} END,
             CASE WHEN NOT a.attislocal AND NOT c.relispartition THEN 'INHERITED' END),
           a.attacl::text[]
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum {join}
    WHERE a.attrelid >= {FIRST} AND a.attnum > 0 AND NOT a.attisdropped
      AND (c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') OR c.relkind IN ('i', 'I') AND a.attstattarget >= 0)
    ORDER BY a.attrelid, a.attnum
    """


def sequence_query(facts: Facts) -> str:
    """Sequences: ``(oid, name, persistence, type, options, dependence, relation and column they belong to, owner,
    privileges, increment, last value, called, readable)``.

    Before PostgreSQL 18, one that was not called yet has no last value here: it must be asked itself.
    """
    if facts.version >= 180000:
        last, called, data, privilege = "v.last_value", "v.is_called", ", pg_get_sequence_data(s.seqrelid) v", "SELECT"
    else:
        last = "CASE WHEN has_sequence_privilege(c.oid, 'USAGE,SELECT') THEN pg_sequence_last_value(c.oid) END"
        called, data, privilege = "NULL::bool", "", "SELECT"
    return f"""
    SELECT c.oid, c.oid::regclass::text, c.relpersistence::text, format_type(s.seqtypid, NULL),
           CASE WHEN (s.seqmin, s.seqcache, s.seqincrement, s.seqstart, s.seqcycle) <> (1, 1, 1, 1, false)
                  OR s.seqmax <> {_MOST}
           THEN concat_ws(' ',
             'START WITH ' || nullif(s.seqstart, CASE WHEN s.seqincrement > 0 THEN s.seqmin ELSE s.seqmax END),
             'INCREMENT BY ' || nullif(s.seqincrement, 1),
             'MINVALUE ' || nullif(s.seqmin, CASE WHEN s.seqincrement > 0 THEN 1 ELSE -{_MOST} - 1 END),
             'MAXVALUE ' || nullif(s.seqmax, CASE WHEN s.seqincrement > 0 THEN {_MOST} ELSE -1 END),
             'CACHE ' || nullif(s.seqcache, 1), CASE WHEN s.seqcycle THEN 'CYCLE' END) END,
           d.deptype::text, d.refobjid, d.refobjsubid, pg_get_userbyid(c.relowner), c.relacl::text[],
           s.seqincrement, {last}, {called}, has_sequence_privilege(c.oid, '{privilege}')
    FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
      LEFT JOIN pg_depend d ON d.classid = {_PG_CLASS} AND d.objid = c.oid AND d.objsubid = 0
        AND d.refclassid = {_PG_CLASS} AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'){data}
    WHERE {_own(facts, "pg_class", "c", "relnamespace")}
    """


_PG_CLASS = 1259
_MOST = """(CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END)"""


def uncalled_query(sequences: Collection[tuple[str, str]]) -> str:
    """Where sequences stand that were not called yet: ``(name, last value, called)``.

    :param sequences: quoted names, each with the same as an SQL literal.
    """
    return " UNION ALL ".join(f"SELECT {literal}, last_value, is_called FROM {name}" for name, literal in sequences)


def _parts(facts: Facts) -> dict[str, Query]:
    return {
        "triggers": Query(
            "pg_trigger",
            f"""
            SELECT g.oid, g.tgrelid, 'trigger', quote_ident(g.tgname),
                   concat_ws(' ', pg_get_triggerdef(g.oid), {_enabled("g.tgenabled")})
            FROM pg_trigger g
            WHERE NOT g.tgisinternal AND (g.tgparentid = 0 OR g.tgenabled <> (SELECT tgenabled FROM pg_trigger WHERE oid = g.tgparentid))
            """,
            "pg_trigger",
            parts=True,
        ),
        "rules": Query(
            "pg_rewrite",
            f"""
            SELECT w.oid, w.ev_class, 'rule', quote_ident(w.rulename),
                   concat_ws(' ', rtrim(pg_get_ruledef(w.oid), ';'), {_enabled("w.ev_enabled")})
            FROM pg_rewrite w WHERE w.oid >= {FIRST} AND w.rulename <> '_RETURN'
            """,
            "pg_rewrite",
            parts=True,
        ),
        "policies": Query(
            "pg_policy",
            f"""
            SELECT p.oid, p.polrelid, 'policy', quote_ident(p.polname),
                   concat_ws(' ', CASE WHEN p.polpermissive THEN 'AS PERMISSIVE' ELSE 'AS RESTRICTIVE' END,
                     'FOR ' || CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                             WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                     'TO ' || (SELECT string_agg({_role(facts, "role")}, ', ' ORDER BY {_role(facts, "role")})
                               FROM unnest(p.polroles) AS role),
                     'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                     'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
            FROM pg_policy p
            """,
            "pg_policy",
            parts=True,
        ),
        "statistics": Query(
            "pg_statistic_ext",
            f"""
            SELECT x.oid, 'statistics', {_qualified("x.stxnamespace", "x.stxname")},
                   concat_ws(' ', pg_get_statisticsobjdef(x.oid),
                     CASE WHEN x.stxstattarget >= 0 THEN 'STATISTICS ' || x.stxstattarget END),
                   pg_get_userbyid(x.stxowner), NULL::text[]
            FROM pg_statistic_ext x
            WHERE {_own(facts, "pg_statistic_ext", "x", "stxnamespace")} AND {_not(facts, "x.stxrelid", "pg_class")}
            """,
            "pg_statistic_ext",
        ),
    }


def _types(facts: Facts) -> dict[str, Query]:
    own = _own(facts, "pg_type", "t", "typnamespace")
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
            FROM pg_type t WHERE t.typtype = 'e' AND {own}
            """,
            "pg_enum",
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
            FROM pg_type t JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND {own}
            """,
            "domains",
        ),
        "domain constraints": Query(
            "pg_constraint",
            f"""
            SELECT k.oid, 'constraint', k.contypid::regtype || '.' || quote_ident(k.conname),
                   CASE WHEN k.contype = 'c' THEN pg_get_constraintdef(k.oid) END, NULL, NULL::text[]
            FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid WHERE {own}
            """,
            "domains",
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
            FROM pg_type t JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typtype = 'c' AND c.relkind = 'c' AND {own}
            """,
            "composites",
        ),
        "composite relations": Query(
            "pg_class",
            f"""
            SELECT c.oid, 'type', c.oid::regclass::text, NULL, NULL, NULL::text[]
            FROM pg_class c WHERE c.relkind = 'c' AND {_own(facts, "pg_class", "c", "relnamespace")}
            """,
            "composites",
        ),
        "ranges": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'type', t.oid::regtype::text,
                   'RANGE (' || concat_ws(', ', {_set("SUBTYPE", "r.rngsubtype::regtype")},
                     {_set("SUBTYPE_OPCLASS", _qualified("o.opcnamespace", "o.opcname"))},
                     {_set("COLLATION", "nullif(r.rngcollation, 0)::regcollation")},
                     {_set("CANONICAL", _function("r.rngcanonical"))},
                     {_set("SUBTYPE_DIFF", _function("r.rngsubdiff"))},
                     {_set("MULTIRANGE_TYPE_NAME", "r.rngmultitypid::regtype")}) || ')',
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t JOIN pg_range r ON r.rngtypid = t.oid JOIN pg_opclass o ON o.oid = r.rngsubopc
            WHERE {own}
            """,
            "ranges",
        ),
        "base types": Query(
            "pg_type",
            f"""
            SELECT t.oid, 'type', t.oid::regtype::text,
                   CASE WHEN NOT t.typisdefined THEN 'SHELL' ELSE 'BASE (' || concat_ws(', ',
                     {_set("INPUT", _function("t.typinput"))}, {_set("OUTPUT", _function("t.typoutput"))},
                     {_set("RECEIVE", _function("t.typreceive"))}, {_set("SEND", _function("t.typsend"))},
                     {_set("TYPMOD_IN", _function("t.typmodin"))}, {_set("TYPMOD_OUT", _function("t.typmodout"))},
                     {_set("ANALYZE", _function("t.typanalyze"))},
                     {_set("SUBSCRIPT", _function("t.typsubscript"))},
                     {_set("INTERNALLENGTH", "t.typlen")}, CASE WHEN t.typbyval THEN 'PASSEDBYVALUE' END,
                     {_set("ALIGNMENT", "t.typalign")}, {_set("STORAGE", "t.typstorage")},
                     {_set("CATEGORY", "t.typcategory")}, CASE WHEN t.typispreferred THEN 'PREFERRED' END,
                     {_set("DEFAULT", "quote_literal(t.typdefault)")},
                     {_set("ELEMENT", "nullif(t.typelem, 0)::regtype")},
                     {_set("DELIMITER", "quote_literal(t.typdelim)")},
                     CASE WHEN t.typcollation <> 0 THEN 'COLLATABLE' END) || ')' END,
                   pg_get_userbyid(t.typowner), t.typacl::text[]
            FROM pg_type t
            WHERE {own} AND (NOT t.typisdefined OR t.typtype = 'b' AND t.typarray <> 0)
            """,
            "base types",
        ),
        "casts": Query(
            "pg_cast",
            f"""
            SELECT c.oid, 'cast', format('(%s AS %s)', c.castsource::regtype, c.casttarget::regtype),
                   concat_ws(' ', CASE c.castmethod WHEN 'i' THEN 'WITH INOUT' WHEN 'b' THEN 'WITHOUT FUNCTION'
                                  ELSE 'WITH FUNCTION ' || c.castfunc::regprocedure END,
                             CASE c.castcontext WHEN 'a' THEN 'AS ASSIGNMENT' WHEN 'i' THEN 'AS IMPLICIT' END),
                   NULL, NULL::text[]
            FROM pg_cast c WHERE {_own(facts, "pg_cast", "c")}
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
                     {_set("LC_COLLATE", "quote_literal(c.collcollate)")},
                     {_set("LC_CTYPE", "quote_literal(c.collctype)")},
                     {_set("LOCALE", f"quote_literal({_collation_locale(facts)})")},
                     {_set("RULES", "quote_literal(c.collicurules)") if facts.version >= 160000 else "NULL"},
                     CASE WHEN NOT c.collisdeterministic THEN 'DETERMINISTIC = false' END,
                     CASE WHEN c.collencoding <> -1 THEN 'ENCODING = ' || pg_encoding_to_char(c.collencoding) END),
                   pg_get_userbyid(c.collowner), NULL::text[]
            FROM pg_collation c WHERE {_own(facts, "pg_collation", "c", "collnamespace")}
            """,
            "pg_collation",
        ),
        "conversions": Query(
            "pg_conversion",
            f"""
            SELECT c.oid, 'conversion', {_qualified("c.connamespace", "c.conname")},
                   format('%sFOR %L TO %L FROM %s', CASE WHEN c.condefault THEN 'DEFAULT ' END,
                     pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
                     c.conproc::oid::regprocedure),
                   pg_get_userbyid(c.conowner), NULL::text[]
            FROM pg_conversion c WHERE {_own(facts, "pg_conversion", "c", "connamespace")}
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
    name = f"{_qualified('p.pronamespace', 'p.proname')} || '(' || {arguments} || ')'"
    own = f"{_own(facts, 'pg_proc', 'p', 'pronamespace')} AND p.proname !~ '{OURS}'"
    modify = (
        "'FINALFUNC_MODIFY = ' || CASE a.{0} WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END"
    )
    return {
        "routines": Query(
            "pg_proc",
            f"""
            SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, {name},
                   rtrim(pg_get_functiondef(p.oid), E' \\n'), pg_get_userbyid(p.proowner), p.proacl::text[]
            FROM pg_proc p WHERE p.prokind <> 'a' AND {own}
              AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = p.oid
                                AND deptype = 'i')
            """,
            "pg_proc",
        ),
        "aggregates": Query(
            "pg_proc",
            f"""
            SELECT p.oid, 'aggregate', {name},
                   format('AGGREGATE %s(%s) (', CASE a.aggkind WHEN 'h' THEN 'HYPOTHETICAL ' END,
                          pg_get_function_arguments(p.oid))
                   || concat_ws(', ',
                     {_set("SFUNC", _function("a.aggtransfn"))}, {_set("STYPE", "a.aggtranstype::regtype")},
                     {_set("SSPACE", "nullif(a.aggtransspace, 0)")},
                     {_set("FINALFUNC", _function("a.aggfinalfn"))},
                     CASE WHEN a.aggfinalextra THEN 'FINALFUNC_EXTRA' END,
                     CASE WHEN a.aggfinalfn <> 0 THEN {modify.format("aggfinalmodify")} END,
                     {_set("COMBINEFUNC", _function("a.aggcombinefn"))},
                     {_set("SERIALFUNC", _function("a.aggserialfn"))},
                     {_set("DESERIALFUNC", _function("a.aggdeserialfn"))},
                     {_set("INITCOND", "quote_literal(a.agginitval)")},
                     {_set("MSFUNC", _function("a.aggmtransfn"))},
                     {_set("MINVFUNC", _function("a.aggminvtransfn"))},
                     {_set("MSTYPE", "nullif(a.aggmtranstype, 0)::regtype")},
                     {_set("MSSPACE", "nullif(a.aggmtransspace, 0)")},
                     {_set("MFINALFUNC", _function("a.aggmfinalfn"))},
                     CASE WHEN a.aggmfinalextra THEN 'MFINALFUNC_EXTRA' END,
                     CASE WHEN a.aggmfinalfn <> 0 THEN 'M' || {modify.format("aggmfinalmodify")} END,
                     {_set("MINITCOND", "quote_literal(a.aggminitval)")},
                     {_set("SORTOP", "nullif(a.aggsortop, 0)::regoperator")},
                     CASE p.proparallel WHEN 's' THEN 'PARALLEL = SAFE' WHEN 'r' THEN 'PARALLEL = RESTRICTED' END)
                   || ')',
                   pg_get_userbyid(p.proowner), p.proacl::text[]
            FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid WHERE {own}
            """,
            "aggregates",
        ),
        "languages": Query(
            "pg_language",
            f"""
            SELECT l.oid, 'language', quote_ident(l.lanname),
                   concat_ws(' ', CASE WHEN l.lanpltrusted THEN 'TRUSTED' END, 'LANGUAGE',
                     'HANDLER ' || {_function("l.lanplcallfoid")}, 'INLINE ' || {_function("l.laninline")},
                     'VALIDATOR ' || {_function("l.lanvalidator")}),
                   pg_get_userbyid(l.lanowner), l.lanacl::text[]
            FROM pg_language l WHERE {_own(facts, "pg_language", "l")}
            """,
            "pg_language",
        ),
        "transforms": Query(
            "pg_transform",
            f"""
            SELECT t.oid, 'transform', format('FOR %s LANGUAGE %I', t.trftype::regtype, l.lanname),
                   concat_ws(', ', 'FROM SQL WITH FUNCTION ' || {_function("t.trffromsql")},
                                   'TO SQL WITH FUNCTION ' || {_function("t.trftosql")}), NULL, NULL::text[]
            FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE {_own(facts, "pg_transform", "t")}
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
                     'EXECUTE FUNCTION ' || e.evtfoid::oid::regprocedure, {_enabled("e.evtenabled")}),
                   pg_get_userbyid(e.evtowner), NULL::text[]
            FROM pg_event_trigger e WHERE {_own(facts, "pg_event_trigger", "e")} AND e.evtname !~ '{OURS}'
            """,
            "pg_event_trigger",
        ),
    }


def _operators(facts: Facts) -> dict[str, Query]:
    members = """
        SELECT string_agg(member, ', ' ORDER BY member) FROM (
          SELECT format('OPERATOR %s %s%s', lpad(o.amopstrategy::text, 2), o.amopopr::regoperator,
                        CASE WHEN o.amopsortfamily <> 0 THEN
                          (SELECT ' FOR ORDER BY ' || {family} FROM pg_opfamily f WHERE f.oid = o.amopsortfamily) END)
          FROM pg_depend d JOIN pg_amop o ON o.oid = d.objid
          WHERE d.classid = 'pg_amop'::regclass AND d.refclassid = '{catalog}'::regclass AND d.refobjid = {oid}
          UNION ALL
          SELECT format('FUNCTION %s (%s, %s) %s', lpad(r.amprocnum::text, 2), r.amproclefttype::regtype,
                        r.amprocrighttype::regtype, r.amproc::oid::regprocedure)
          FROM pg_depend d JOIN pg_amproc r ON r.oid = d.objid
          WHERE d.classid = 'pg_amproc'::regclass AND d.refclassid = '{catalog}'::regclass AND d.refobjid = {oid}
        ) AS members (member)
    """
    family = _qualified("f.opfnamespace", "f.opfname")
    return {
        "operators": Query(
            "pg_operator",
            f"""
            SELECT o.oid, 'operator', format('%s.%s(%s, %s)', o.oprnamespace::regnamespace, o.oprname,
                     CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
                     format_type(o.oprright, NULL)),
                   concat_ws(', ', {_set("FUNCTION", _function("o.oprcode"))},
                     {_set("COMMUTATOR", "nullif(o.oprcom, 0)::regoperator")},
                     {_set("NEGATOR", "nullif(o.oprnegate, 0)::regoperator")},
                     {_set("RESTRICT", _function("o.oprrest"))}, {_set("JOIN", _function("o.oprjoin"))},
                     CASE WHEN o.oprcanhash THEN 'HASHES' END, CASE WHEN o.oprcanmerge THEN 'MERGES' END),
                   pg_get_userbyid(o.oprowner), NULL::text[]
            FROM pg_operator o WHERE o.oprcode <> 0 AND {_own(facts, "pg_operator", "o", "oprnamespace")}
            """,
            "pg_operator",
        ),
        "operator classes": Query(
            "pg_opclass",
            f"""
            SELECT o.oid, 'operator class', {_qualified("o.opcnamespace", "o.opcname")}
                     || ' USING ' || quote_ident(m.amname),
                   concat_ws(' ', CASE WHEN o.opcdefault THEN 'DEFAULT' END, 'FOR TYPE ' || o.opcintype::regtype,
                     'FAMILY ' || {family}, 'STORAGE ' || nullif(o.opckeytype, 0)::regtype,
                     'AS ' || ({members.format(catalog="pg_opclass", oid="o.oid", family=family)})),
                   pg_get_userbyid(o.opcowner), NULL::text[]
            FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod JOIN pg_opfamily f ON f.oid = o.opcfamily
            WHERE {_own(facts, "pg_opclass", "o", "opcnamespace")}
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
            WHERE {_own(facts, "pg_opfamily", "f", "opfnamespace")}
            """,
            "pg_opfamily",
        ),
        "access methods": Query(
            "pg_am",
            f"""
            SELECT a.oid, 'access method', quote_ident(a.amname),
                   format('TYPE %s HANDLER %s', CASE a.amtype WHEN 't' THEN 'TABLE' ELSE 'INDEX' END,
                          a.amhandler::oid::regprocedure), NULL, NULL::text[]
            FROM pg_am a WHERE {_own(facts, "pg_am", "a")}
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
                   concat_ws(', ', 'PARSER = ' || (SELECT {_qualified("prsnamespace", "prsname")}
                                                   FROM pg_ts_parser WHERE oid = c.cfgparser),
                     (SELECT string_agg(mapping, ', ' ORDER BY mapping) FROM (
                        SELECT format('%s WITH %s', quote_ident(t.alias),
                                      string_agg(m.mapdict::regdictionary::text, ' ' ORDER BY m.mapseqno)) AS mapping
                        FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
                        WHERE m.mapcfg = c.oid GROUP BY t.alias) AS mappings)),
                   pg_get_userbyid(c.cfgowner), NULL::text[]
            FROM pg_ts_config c WHERE {_own(facts, "pg_ts_config", "c", "cfgnamespace")}
            """,
            "pg_ts_config",
        ),
        "text search dictionaries": Query(
            "pg_ts_dict",
            f"""
            SELECT d.oid, 'text search dictionary', d.oid::regdictionary::text,
                   concat_ws(', ', 'TEMPLATE = ' || (SELECT {_qualified("tmplnamespace", "tmplname")}
                                                     FROM pg_ts_template WHERE oid = d.dicttemplate),
                             d.dictinitoption),
                   pg_get_userbyid(d.dictowner), NULL::text[]
            FROM pg_ts_dict d WHERE {_own(facts, "pg_ts_dict", "d", "dictnamespace")}
            """,
            "pg_ts_dict",
        ),
        "text search parsers": Query(
            "pg_ts_parser",
            f"""
            SELECT p.oid, 'text search parser', {_qualified("p.prsnamespace", "p.prsname")},
                   concat_ws(', ', {_set("START", _function("p.prsstart"))},
                     {_set("GETTOKEN", _function("p.prstoken"))}, {_set("END", _function("p.prsend"))},
                     {_set("HEADLINE", _function("p.prsheadline"))}, {_set("LEXTYPES", _function("p.prslextype"))}),
                   NULL, NULL::text[]
            FROM pg_ts_parser p WHERE {_own(facts, "pg_ts_parser", "p", "prsnamespace")}
            """,
            "pg_ts_parser",
        ),
        "text search templates": Query(
            "pg_ts_template",
            f"""
            SELECT t.oid, 'text search template', {_qualified("t.tmplnamespace", "t.tmplname")},
                   concat_ws(', ', {_set("INIT", _function("t.tmplinit"))},
                     {_set("LEXIZE", _function("t.tmpllexize"))}), NULL, NULL::text[]
            FROM pg_ts_template t WHERE {_own(facts, "pg_ts_template", "t", "tmplnamespace")}
            """,
            "pg_ts_template",
        ),
    }


def _foreign(facts: Facts) -> dict[str, Query]:
    wrappers = "pg_foreign_data_wrapper"
    return {
        "foreign data wrappers": Query(
            "pg_foreign_data_wrapper",
            f"""
            SELECT w.oid, 'foreign data wrapper', quote_ident(w.fdwname),
                   concat_ws(' ', 'FOREIGN DATA WRAPPER', 'HANDLER ' || {_function("w.fdwhandler")},
                             'VALIDATOR ' || {_function("w.fdwvalidator")}),
                   pg_get_userbyid(w.fdwowner), w.fdwacl::text[]
            FROM pg_foreign_data_wrapper w WHERE {_own(facts, "pg_foreign_data_wrapper", "w")}
            """,
            wrappers,
        ),
        "foreign servers": Query(
            "pg_foreign_server",
            f"""
            SELECT s.oid, 'foreign server', quote_ident(s.srvname),
                   concat_ws(' ', 'SERVER', 'TYPE ' || quote_literal(s.srvtype),
                             'VERSION ' || quote_literal(s.srvversion), 'FOREIGN DATA WRAPPER ' || quote_ident(w.fdwname)),
                   pg_get_userbyid(s.srvowner), s.srvacl::text[]
            FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
            WHERE {_own(facts, "pg_foreign_server", "s")}
            """,
            wrappers,
        ),
        "user mappings": Query(
            "pg_user_mapping",
            f"""
            SELECT m.umid, 'user mapping', format('FOR %s SERVER %I', {_role(facts, "m.umuser")}, m.srvname),
                   'USER MAPPING', NULL, NULL::text[]
            FROM pg_user_mappings m WHERE {_not(facts, "m.srvid", "pg_foreign_server")}
            """,
            wrappers,
        ),
    }


def _replication(facts: Facts) -> dict[str, Query]:
    publications = "pg_publication"
    members = facts.version >= 150000  # lists of columns, conditions and whole schemas
    subscription = ["enabled", "binary", "stream", "slotname", "synccommit"]
    subscription += ["twophasestate", "disableonerr"] if facts.version >= 150000 else []
    subscription += ["origin", "passwordrequired", "runasowner"] if facts.version >= 160000 else []
    subscription += ["failover"] if facts.version >= 170000 else []
    settings = ", ".join(_set(name, f"s.sub{name}") for name in subscription)
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
            FROM pg_publication p WHERE {_own(facts, "pg_publication", "p")}
            """,
            publications,
        ),
        "publication tables": Query(
            "pg_publication_rel",
            f"""
            SELECT m.oid, 'publication table', format('%I %s', p.pubname, m.prrelid::regclass),
                   concat_ws(' ', 'TABLE' {_PUBLISHED if members else ""}), NULL, NULL::text[]
            FROM pg_publication_rel m JOIN pg_publication p ON p.oid = m.prpubid
            """,
            publications,
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
            publications,
        )
    return queries


_PUBLISHED = """,
    '(' || (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attname) FROM pg_attribute
            WHERE attrelid = m.prrelid AND attnum = ANY (m.prattrs::int2[])) || ')',
    'WHERE ' || pg_get_expr(m.prqual, m.prrelid)
"""


def _others(facts: Facts) -> dict[str, Query]:
    return {
        "settings": Query(
            "pg_db_role_setting",
            f"""
            SELECT 0, 'setting', concat('database ', CASE WHEN s.setrole <> 0 THEN 'role ' || {_role(facts, "s.setrole")} || ' ' END,
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


def other_queries(facts: Facts) -> dict[str, str]:
    """What else is read."""
    # The builtin extension's comment comes with CREATE EXTENSION, so it must be compared.
    known = f"objoid >= {FIRST} OR objoid = {PUBLIC_SCHEMA}"
    builtin = ", ".join(map(str, facts.builtin_extensions))
    comments = f"{known} OR objoid IN ({builtin})" if builtin else known
    queries = {
        "comment": f"SELECT classoid::regclass::text, objoid, objsubid, description, NULL FROM pg_description WHERE {comments}",
        "their privileges": _their_privileges(facts),
    }
    if "pg_seclabel" in facts.filled:
        queries["security label"] = (
            "SELECT classoid::regclass::text, objoid, objsubid, label, provider FROM pg_seclabel"
        )
    if "pg_default_acl" in facts.filled:
        queries["default privileges"] = _default_privileges(facts)
    if "pg_foreign_data_wrapper" in facts.filled:
        queries["options"] = _FOREIGN_OPTIONS
    if "pg_sequence" in facts.filled:
        queries["sequences"] = sequence_query(facts)
    return queries


def not_null_name_query(constraints: Collection[int]) -> str:
    """Names of NOT NULL constraints, which have no entries: ``(oid, name)``."""
    oids = ", ".join(map(str, constraints))
    return f"""SELECT oid, conrelid::regclass || '.' || quote_ident(conname) FROM pg_constraint
               WHERE oid IN ({oids}) AND contype = 'n' AND conrelid <> 0"""


def _default_privileges(facts: Facts) -> str:
    return f"""
    SELECT concat_ws(' ', 'FOR ' || nullif({_role(facts, "defaclrole")}, 'CURRENT_ROLE'),
             'IN ' || nullif(defaclnamespace, 0)::regnamespace,
             CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END),
           CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype END::text,
           pg_get_userbyid(defaclrole), defaclacl::text[]
    FROM pg_default_acl
    """


_FOREIGN_OPTIONS = """
    SELECT 'pg_foreign_data_wrapper', oid, 0, fdwoptions FROM pg_foreign_data_wrapper WHERE fdwoptions IS NOT NULL
    UNION ALL SELECT 'pg_foreign_server', oid, 0, srvoptions FROM pg_foreign_server WHERE srvoptions IS NOT NULL
    UNION ALL SELECT 'pg_user_mapping', umid, 0, umoptions FROM pg_user_mappings WHERE umoptions IS NOT NULL
    UNION ALL SELECT 'pg_class', ftrelid, 0, ftoptions FROM pg_foreign_table WHERE ftoptions IS NOT NULL
    UNION ALL SELECT 'pg_class', attrelid, attnum, attfdwoptions FROM pg_attribute WHERE attfdwoptions IS NOT NULL
"""


_THEIRS = (  # catalogue, columns of owner and privileges, kind, name
    (
        "pg_class", "relowner", "relacl", _qualified("relnamespace", "relname"),
        """CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
           WHEN 'f' THEN 'foreign table' ELSE 'table' END""",
    ),
    (
        "pg_proc", "proowner", "proacl",
        "format('%s.%I(%s)', pronamespace::regnamespace, proname, oidvectortypes(proargtypes))",
        "CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END",
    ),
    ("pg_type", "typowner", "typacl", _qualified("typnamespace", "typname"),
     "CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END"),
    ("pg_language", "lanowner", "lanacl", "quote_ident(lanname)", "'language'"),
    ("pg_namespace", "nspowner", "nspacl", "quote_ident(nspname)", "'schema'"),
    ("pg_foreign_data_wrapper", "fdwowner", "fdwacl", "quote_ident(fdwname)", "'foreign data wrapper'"),
    ("pg_foreign_server", "srvowner", "srvacl", "quote_ident(srvname)", "'foreign server'"),
)  # fmt: skip


def _their_privileges(facts: Facts) -> str:
    """Privileges on what came with PostgreSQL or an extension, where they are no longer what came with it:
    ``(kind, name, owner, privileges, those that came with it)``."""
    parts = [
        f"""
        SELECT '{catalog}'::regclass AS catalog, oid, 0 AS number, {owner} AS owner, {acl} AS acl, {kind} AS kind,
               {name} AS name
        FROM {catalog} WHERE {acl} IS NOT NULL AND ({_theirs(facts, catalog)})
        """
        for catalog, owner, acl, name, kind in _THEIRS
    ]
    parts.append(
        f"""
        SELECT 'pg_class'::regclass, c.oid, a.attnum, c.relowner, a.attacl, 'column',
               {_qualified("c.relnamespace", "c.relname")} || '.' || quote_ident(a.attname)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE a.attacl IS NOT NULL AND ({_theirs(facts, "pg_class", "c.")})
        """
    )
    return f"""
    SELECT kind, name, pg_get_userbyid(owner), acl::text[], initprivs::text[]
    FROM ({" UNION ALL ".join(parts)}) AS theirs
      LEFT JOIN pg_init_privs i ON i.classoid = theirs.catalog AND i.objoid = theirs.oid AND i.objsubid = theirs.number
    WHERE acl IS DISTINCT FROM initprivs
    """


def _theirs(facts: Facts, catalog: str, alias: str = "") -> str:
    """The condition that an object came with PostgreSQL or an extension."""
    schema = {"pg_class": "relnamespace", "pg_proc": "pronamespace", "pg_type": "typnamespace"}.get(catalog)
    if catalog == "pg_namespace":
        condition = f"oid = {CATALOG_SCHEMA}"
    else:
        condition = f"{alias}{schema} = {CATALOG_SCHEMA}" if schema else f"oid < {FIRST}"
    members = facts.members.get(catalog)
    return f"{condition} OR {alias}oid = ANY ('{{{','.join(map(str, members))}}}'::oid[])" if members else condition


def role_queries(version: int) -> dict[str, str]:
    """What the whole cluster shares: ``(kind, name, definition)``. Never a password, nor PostgreSQL's own roles."""
    ours = f"oid >= {FIRST}"
    return {
        "roles": f"""
            SELECT 'role', quote_ident(rolname), concat_ws(' ',
                CASE WHEN rolsuper THEN 'SUPERUSER' END, CASE WHEN NOT rolinherit THEN 'NOINHERIT' END,
                CASE WHEN rolcreaterole THEN 'CREATEROLE' END, CASE WHEN rolcreatedb THEN 'CREATEDB' END,
                CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END,
                CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
                'CONNECTION LIMIT ' || nullif(rolconnlimit, -1), 'VALID UNTIL ' || quote_literal(rolvaliduntil))
            FROM pg_roles WHERE {ours}""",
        "memberships": f"""
            SELECT 'membership', format('%I in %I', member.rolname, role.rolname),
                   string_agg({_membership(version)}, '; ' ORDER BY {_membership(version)})
            FROM pg_auth_members m JOIN pg_roles role ON role.oid = m.roleid JOIN pg_roles member ON member.oid = m.member
            WHERE member.{ours} GROUP BY member.rolname, role.rolname""",
        "settings": """
            SELECT 'setting', concat('role ', coalesce(quote_ident(rolname), 'ALL'), ' ', split_part(setting, '=', 1)),
                   substr(setting, strpos(setting, '=') + 1)
            FROM pg_db_role_setting LEFT JOIN pg_roles r ON r.oid = setrole, unnest(setconfig) AS setting
            WHERE setdatabase = 0""",
        "comments": f"""
            SELECT 'comment', 'role ' || quote_ident(rolname), description
            FROM pg_shdescription JOIN pg_roles ON oid = objoid
            WHERE classoid = 'pg_authid'::regclass AND {ours}""",
        **({"parameters": _PARAMETERS} if version >= 150000 else {}),
    }


def _membership(version: int) -> str:
    words = ["CASE WHEN m.admin_option THEN 'WITH ADMIN' END"]
    if version >= 160000:
        words.append("CASE WHEN NOT m.inherit_option THEN 'WITHOUT INHERIT' END")
        words.append("CASE WHEN NOT m.set_option THEN 'WITHOUT SET' END")
    return f"concat_ws(', ', 'MEMBER', {', '.join(words)})"


_PARAMETERS = """
    SELECT 'privilege', format('parameter %s to %s', parname,
                               CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END),
           string_agg(privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', '
                      ORDER BY privilege_type)
    FROM pg_parameter_acl, aclexplode(paracl) GROUP BY parname, grantee
"""
