"""What a database holds at all, and the phrases of SQL that queries of its catalogues share.

The facts come first, in one go. Only what they call for is asked then: most databases hold nothing of most kinds, and
parsing and planning a query cost more than running it.

Names and definitions are written under a search path that finds nothing but PostgreSQL's own, so that all others come
with their schema. Left out everywhere: what belongs to an extension, PostgreSQL's own objects, temporary ones.

Not here: the queries themselves (``schema.tables``, ``schema.kinds``). Imports nothing of backout.
"""

# ruff: noqa: S608 - what is put into the SQL are OIDs and phrases of our own

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# What a user creates has at least this OID (manual, "System Catalog Initial Data": FirstNormalObjectId).
FIRST = 16384
CATALOG_SCHEMA = 11  # pg_catalog
PUBLIC_SCHEMA = 2200  # that of the schema which initdb makes; one that was created anew has another

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

# Catalogues of which a new database has no row at all: one whose file is empty needs no look.
EMPTY_AT_FIRST = (
    "pg_db_role_setting", "pg_default_acl", "pg_event_trigger", "pg_foreign_data_wrapper", "pg_foreign_table",
    "pg_inherits", "pg_largeobject_metadata", "pg_partitioned_table", "pg_policy",
    "pg_publication", "pg_seclabel", "pg_sequence",
    "pg_statistic_ext", "pg_subscription", "pg_transform", "pg_trigger",
)  # fmt: skip
# Those that hold PostgreSQL's own from the start.
NEVER_EMPTY = (
    "pg_am", "pg_cast", "pg_collation", "pg_conversion", "pg_language", "pg_opclass", "pg_operator", "pg_opfamily",
    "pg_rewrite", "pg_tablespace", "pg_ts_config", "pg_ts_dict", "pg_ts_parser", "pg_ts_template",
)  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the queries depend on.

    :param version: ``server_version_num``.
    :param database: its OID.
    :param owner: of the database, its OID.
    :param schemas: OIDs of the user's.
    :param relations: OIDs of the user's tables, views and composite types.
    :param gates: catalogues and kinds of which there is something that may be the user's.
    :param members: catalogue → OIDs of what belongs to an extension.
    :param builtin_extensions: OIDs of those that every new database has.
    """

    version: int
    database: int
    owner: int
    schemas: tuple[int, ...]
    relations: tuple[int, ...]
    gates: frozenset[str]
    members: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    builtin_extensions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Query:
    """A query whose rows are entries or, for ``parts``, parts of a relation.

    Entry: ``(oid, kind, name, definition, owner, privileges)``. Part: ``(oid, relation, kind, its own name,
    definition)``; its full name begins with the relation's. A definition of NULL makes no entry, it only gives the
    object its name, for comments and privileges.

    :param catalog: whose OIDs the first column has.
    :param gate: what there must be for it to be worth asking.
    """

    catalog: str
    sql: str
    gate: str | None = None
    parts: bool = False


def called_for(facts: Facts, queries: Mapping[str, Query]) -> dict[str, Query]:
    """Those of the queries that may find something."""
    return {name: query for name, query in queries.items() if query.gate is None or query.gate in facts.gates}


def one_of(oid: str, oids: Iterable[int]) -> str:
    """The condition that an OID is among these."""
    return f"{oid} = ANY ('{{{','.join(map(str, oids))}}}'::oid[])"


def own(facts: Facts, catalog: str, alias: str, schema: str | None = None) -> str:
    """The condition that an object is the user's own; ``schema`` is the column that has its schema's OID."""
    conditions = [f"{alias}.oid >= {FIRST}"]
    if schema is not None:
        conditions.append(one_of(f"{alias}.{schema}", facts.schemas))
    if catalog in facts.members:
        conditions.append(f"NOT {one_of(f'{alias}.oid', facts.members[catalog])}")
    return " AND ".join(conditions)


def qualified(schema: str, name: str) -> str:
    """A name with its schema, from the column with the schema's OID and that with the raw name."""
    return f"{schema}::regnamespace || '.' || quote_ident({name})"


def options(column: str) -> str:
    """``WITH (…)`` of an array of ``name=value``, in the order of the names, or NULL."""
    return f"'WITH (' || (SELECT string_agg(option, ', ' ORDER BY option) FROM unnest({column}) AS option) || ')'"


def role(facts: Facts, oid: str) -> str:
    """A role's name. The database's owner goes without one: it is another on every server."""
    return f"""CASE {oid} WHEN 0 THEN 'PUBLIC' WHEN {facts.owner} THEN 'CURRENT_ROLE'
                    ELSE quote_ident(pg_get_userbyid({oid})) END"""


def clause(word: str, value: str) -> str:
    """``WORD = value``, or NULL."""
    return f"'{word} = ' || {value}"


def function(oid: str) -> str:
    """A function's name with its arguments, or NULL for none."""
    return f"nullif({oid}::oid, 0)::regprocedure"


def enabled(column: str) -> str:
    """In which sessions a trigger, an event trigger or a rule fires, unless it is in the usual ones."""
    return f"CASE {column} WHEN 'D' THEN 'DISABLED' WHEN 'A' THEN 'ENABLED ALWAYS' WHEN 'R' THEN 'ENABLED REPLICA' END"


_FILLED = ", ".join(
    f"CASE WHEN EXISTS (SELECT FROM {name} WHERE oid >= {FIRST}) THEN '{name}' END" for name in NEVER_EMPTY
)
_EMPTY_AT_FIRST = ", ".join(f"'{name}'" for name in EMPTY_AT_FIRST)

# What is asked first, by name.
FACTS: Mapping[str, str] = {
    # (OID, its owner's, gates, extensions that every new database has, privileges)
    "database": f"""
        SELECT oid, datdba, array_remove(ARRAY[{_FILLED}], NULL),
               ARRAY(SELECT oid FROM pg_extension WHERE oid < {FIRST}), datacl::text[]
        FROM pg_database WHERE datname = current_database()""",
    "gates": f"""
        SELECT relname::text FROM pg_class
        WHERE relnamespace = {CATALOG_SCHEMA} AND relname IN ({_EMPTY_AT_FIRST}) AND pg_relation_size(oid) > 0
        UNION ALL SELECT DISTINCT 'types ' || CASE WHEN typisdefined THEN typtype::text ELSE 'b' END FROM pg_type
        WHERE oid >= {FIRST} AND (typtype IN ('e', 'd', 'r') OR NOT typisdefined OR typtype = 'b' AND typarray <> 0)
        UNION ALL SELECT DISTINCT CASE prokind WHEN 'a' THEN 'aggregates' ELSE 'routines' END FROM pg_proc
        WHERE oid >= {FIRST}""",
    # (OID, name, owner, privileges)
    "schemas": f"""
        SELECT oid, quote_ident(nspname), pg_get_userbyid(nspowner),
               CASE WHEN nspname = 'public' THEN coalesce(nspacl, acldefault('n', nspowner)) ELSE nspacl END::text[]
        FROM pg_namespace WHERE (oid >= {FIRST} OR oid = {PUBLIC_SCHEMA}) AND nspname !~ '^pg_'""",
    "members": """
        SELECT classid::regclass::text, array_agg(objid) FROM pg_depend
        WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' GROUP BY classid""",
    # (OID, schema's, kind, is a partition, name, raw name without its schema, persistence, words, owner, privileges)
    "relations": f"""
        SELECT c.oid, c.relnamespace, c.relkind::text, c.relispartition, c.oid::regclass::text, c.relname::text,
               c.relpersistence::text,
               CASE WHEN c.reloptions IS NOT NULL OR t.reloptions IS NOT NULL OR c.reloftype <> 0
                      OR c.relrowsecurity OR c.relforcerowsecurity OR c.relreplident IN ('n', 'f')
               THEN concat_ws(' ', 'OF ' || nullif(c.reloftype, 0)::regtype, {options("c.reloptions")},
                 'TOAST ' || {options("t.reloptions")},
                 CASE WHEN c.relrowsecurity THEN 'ENABLE ROW LEVEL SECURITY' END,
                 CASE WHEN c.relforcerowsecurity THEN 'FORCE ROW LEVEL SECURITY' END,
                 CASE WHEN c.relkind <> 'f' THEN
                   'REPLICA IDENTITY ' || CASE c.relreplident WHEN 'n' THEN 'NOTHING' WHEN 'f' THEN 'FULL' END END)
               END,
               pg_get_userbyid(c.relowner), c.relacl::text[]
        FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
        WHERE c.oid >= {FIRST} AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')""",
    "roles": "SELECT oid, rolname::text, quote_ident(rolname) FROM pg_roles",
    "since": "SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text",
    # What nobody granted or revoked: (kind of object, privileges, owner).
    "natural privileges": """
        SELECT kind::text, acldefault(kind, datdba)::text[], pg_get_userbyid(datdba)
        FROM pg_database, unnest('{c,r,s,d,f,l,n,T,F,S}'::"char"[]) AS kind WHERE datname = current_database()""",
}
