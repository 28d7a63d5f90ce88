"""The queries for tables and what belongs to them: columns, constraints, indexes, sequences, views, triggers, rules,
policies; for comments, and for privileges on what is not the user's.

The rows are as raw as they can be: formatting thousands of them is quicker here than there.

Not here: relations themselves (``schema.facts``), other kinds (``schema.kinds``). Only ``schema.reading``
imports it.
"""

# ruff: noqa: S608 - what is put into the SQL are OIDs, phrases of our own, and names that the caller quoted

from collections.abc import Collection

from backout.schema.facts import (
    CATALOG_SCHEMA,
    FIRST,
    PUBLIC_SCHEMA,
    Facts,
    Query,
    called_for,
    enabled,
    one_of,
    options,
    own,
    qualified,
    role,
)  # fmt: skip

_HEAP = 2  # the built-in access method of tables


def table_queries(facts: Facts) -> dict[str, Query]:
    """The queries for views and parts of relations that these facts call for, by name."""
    return called_for(facts, _parts(facts))


def part_queries(facts: Facts) -> dict[str, str]:
    """What belongs to each of the relations of these facts, by name; each query says what its rows are."""
    if not facts.relations:
        return {}
    relations = one_of("conrelid", facts.relations)
    queries = {
        "columns": _columns(facts),
        # (relation, column's number, expression); the nodes tell whether the expression names a column
        "defaults": f"""
            SELECT adrelid, adnum, pg_get_expr(adbin, CASE WHEN adbin::text LIKE '%{{VAR %' THEN adrelid ELSE 0 END)
            FROM pg_attrdef WHERE {one_of("adrelid", facts.relations)}""",
        # (oid, relation, name, definition, its index); NOT NULL is told by the column
        "constraints": f"""
            SELECT oid, conrelid, quote_ident(conname),
                   concat(pg_get_constraintdef(oid), CASE WHEN contype = 'c' AND NOT conislocal THEN ' INHERITED' END),
                   CASE WHEN contype <> 'f' THEN conindid ELSE 0 END
            FROM pg_constraint
            WHERE {relations} AND contype IN ('c', 'f', 'p', 'u', 'x') AND (contype <> 'f' OR conparentid = 0)""",
        # (oid, relation, name, definition, more of it, options); one that a constraint implies has no definition
        "indexes": f"""
            SELECT c.oid, i.indrelid, c.oid::regclass::text,
                   CASE WHEN NOT i.indisunique AND NOT i.indisexclusion
                          OR c.oid NOT IN (SELECT conindid FROM pg_constraint WHERE contype IN ('p', 'u', 'x'))
                   THEN pg_get_indexdef(c.oid) END,
                   CASE WHEN NOT i.indisvalid OR i.indisclustered OR i.indisreplident OR i.indexprs IS NOT NULL THEN
                     concat_ws(' ', CASE WHEN NOT i.indisvalid THEN 'INVALID' END,
                       CASE WHEN i.indisclustered THEN 'CLUSTER ON' END,
                       CASE WHEN i.indisreplident THEN 'REPLICA IDENTITY' END,
                       CASE WHEN i.indexprs IS NOT NULL THEN
                         (SELECT 'STATISTICS ('
                                 || string_agg(attnum || ' ' || attstattarget, ', ' ORDER BY attnum) || ')'
                          FROM pg_attribute WHERE attrelid = c.oid AND attstattarget >= 0) END) END,
                   CASE WHEN c.reloptions IS NOT NULL THEN {options("c.reloptions")} END
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE {one_of("i.indrelid", facts.relations)}""",
    }
    if facts.version >= 180000:
        # (relation, column's number, raw name, name, words); one that is only inherited has its parent's name
        queries["not null"] = f"""
            SELECT conrelid, conkey[1], CASE WHEN conislocal THEN conname::text END, quote_ident(conname),
                   CASE WHEN connoinherit OR NOT convalidated OR conislocal AND coninhcount > 0 THEN
                     concat_ws(' ', CASE WHEN connoinherit THEN 'NO INHERIT' END,
                                    CASE WHEN NOT convalidated THEN 'NOT VALID' END,
                                    CASE WHEN conislocal AND coninhcount > 0 THEN 'LOCAL' END) END
            FROM pg_constraint WHERE {relations} AND contype = 'n'"""
    return queries


def newer_queries(since: str) -> dict[str, str]:
    """What of relations was written since, and which parts of them are there, by name.

    :param since: a transaction; it and those that began later are not seen by the reading that it is of.
    """
    newer = f"age(xmin) <= age('{since}'::xid)"
    return {
        # (OID of a relation, an index or a sequence)
        "newer": f"""
            SELECT attrelid FROM pg_attribute WHERE attrelid >= {FIRST} AND attnum > 0 AND {newer}
            UNION SELECT adrelid FROM pg_attrdef WHERE {newer}
            UNION SELECT conrelid FROM pg_constraint WHERE conrelid >= {FIRST} AND {newer}
            UNION SELECT indrelid FROM pg_index WHERE indrelid >= {FIRST} AND {newer}
            UNION SELECT seqrelid FROM pg_sequence WHERE {newer}
            UNION SELECT oid FROM pg_class WHERE oid >= {FIRST} AND {newer}""",
        # (catalogue, OIDs of constraints, or of indexes and sequences)
        "there": f"""
            SELECT 'pg_constraint', array_agg(oid) FROM pg_constraint WHERE conrelid >= {FIRST}
            UNION ALL SELECT 'pg_class', array_agg(oid) FROM pg_class
            WHERE oid >= {FIRST} AND relkind IN ('i', 'I', 'S')""",
    }


def other_queries(facts: Facts) -> dict[str, str]:
    """What is read besides entries and parts, by name; each query says what its rows are."""
    queries = {
        "comment": _comments(facts),
        "their privileges": _their_privileges(facts),
    }
    if "pg_sequence" in facts.gates:
        queries["sequences"] = _sequences(facts)
    if "pg_seclabel" in facts.gates:
        queries["security label"] = (
            "SELECT classoid::regclass::text, objoid, objsubid, label, provider FROM pg_seclabel"
        )
    if "pg_default_acl" in facts.gates:
        queries["default privileges"] = _default_privileges(facts)
    if "pg_foreign_data_wrapper" in facts.gates:
        queries["options"] = _FOREIGN_OPTIONS
    return queries


def addition_queries(facts: Facts) -> dict[str, Query]:
    """What is added to definitions: ``(oid, text)``."""
    return called_for(
        facts,
        {
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
            WHERE c.relam <> {_HEAP} AND c.relkind IN ('r', 'p', 'm')
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
        },
    )


def uncalled_query(sequences: Collection[tuple[str, str]]) -> str:
    """Where sequences stand that were not called yet: ``(name, last value, called)``.

    :param sequences: quoted names, each with the same as an SQL literal.
    """
    return " UNION ALL ".join(f"SELECT {literal}, last_value, is_called FROM {name}" for name, literal in sequences)


def _columns(facts: Facts) -> str:
    """``(relation, number, raw name, name, type, not null, identity, generated, rest, local, privileges)``."""
    return f"""
    SELECT a.attrelid, a.attnum, a.attname::text, quote_ident(a.attname),
           CASE WHEN a.attcollation = 0 OR a.attcollation = t.typcollation THEN format_type(a.atttypid, a.atttypmod)
                ELSE format_type(a.atttypid, a.atttypmod) || ' COLLATE ' || a.attcollation::regcollation END,
           a.attnotnull, a.attidentity::text, a.attgenerated::text,
           CASE WHEN a.attstorage <> t.typstorage OR a.attcompression <> '' OR a.attstattarget >= 0
                  OR a.attoptions IS NOT NULL
           THEN concat_ws(' ',
             CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN'
               WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END,
             CASE a.attcompression WHEN 'p' THEN 'COMPRESSION pglz' WHEN 'l' THEN 'COMPRESSION lz4' END,
             CASE WHEN a.attstattarget >= 0 THEN 'STATISTICS ' || a.attstattarget END,
             {options("a.attoptions")}) END,
           a.attislocal, a.attacl::text[]
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE {one_of("a.attrelid", facts.relations)} AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum
    """


def _sequences(facts: Facts) -> str:
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
    WHERE {own(facts, "pg_class", "c", "relnamespace")}
    """


_PG_CLASS = 1259
_MOST = """(CASE s.seqtypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END)"""


def _parts(facts: Facts) -> dict[str, Query]:
    return {
        "views": Query(
            "pg_class",
            f"""
            SELECT c.oid, CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, c.oid::regclass::text,
                   concat_ws(' ', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END,
                     {options("c.reloptions")}, CASE c.relreplident WHEN 'f' THEN 'REPLICA IDENTITY FULL' END,
                     'AS ' || rtrim(ltrim(pg_get_viewdef(c.oid)), ';'),
                     CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'WITH NO DATA' END),
                   pg_get_userbyid(c.relowner), c.relacl::text[]
            FROM pg_class c WHERE c.relkind IN ('v', 'm') AND {one_of("c.oid", facts.relations)}
            """,
            "pg_rewrite",
        ),
        "triggers": Query(
            "pg_trigger",
            f"""
            SELECT g.oid, g.tgrelid, 'trigger', quote_ident(g.tgname),
                   concat_ws(' ', pg_get_triggerdef(g.oid), {enabled("g.tgenabled")})
            FROM pg_trigger g
            WHERE NOT g.tgisinternal AND {one_of("g.tgrelid", facts.relations)}
              AND (g.tgparentid = 0 OR g.tgenabled <> (SELECT tgenabled FROM pg_trigger WHERE oid = g.tgparentid))
            """,
            "pg_trigger",
            parts=True,
        ),
        "rules": Query(
            "pg_rewrite",
            f"""
            SELECT w.oid, w.ev_class, 'rule', quote_ident(w.rulename),
                   concat_ws(' ', rtrim(pg_get_ruledef(w.oid), ';'), {enabled("w.ev_enabled")})
            FROM pg_rewrite w WHERE w.rulename <> '_RETURN' AND {one_of("w.ev_class", facts.relations)}
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
                     'TO ' || (SELECT string_agg({role(facts, "role")}, ', ' ORDER BY {role(facts, "role")})
                               FROM unnest(p.polroles) AS role),
                     'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
                     'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
            FROM pg_policy p WHERE {one_of("p.polrelid", facts.relations)}
            """,
            "pg_policy",
            parts=True,
        ),
        "statistics": Query(
            "pg_statistic_ext",
            f"""
            SELECT x.oid, 'statistics', {qualified("x.stxnamespace", "x.stxname")},
                   concat_ws(' ', pg_get_statisticsobjdef(x.oid),
                     CASE WHEN x.stxstattarget >= 0 THEN 'STATISTICS ' || x.stxstattarget END),
                   pg_get_userbyid(x.stxowner), NULL::text[]
            FROM pg_statistic_ext x
            WHERE {own(facts, "pg_statistic_ext", "x")} AND {one_of("x.stxrelid", facts.relations)}
            """,
            "pg_statistic_ext",
        ),
    }


def _comments(facts: Facts) -> str:
    """``(catalogue, object, column's number, text, nothing)``."""
    builtin = (PUBLIC_SCHEMA, *facts.builtin_extensions)  # CREATE EXTENSION brings a comment
    return f"""
    SELECT classoid::regclass::text, objoid, objsubid, description, NULL FROM pg_description
    WHERE objoid >= {FIRST}
      OR objoid IN ({", ".join(map(str, builtin))}) AND classoid IN ({_PG_NAMESPACE}, {_PG_EXTENSION})
    """


_PG_NAMESPACE, _PG_EXTENSION = 2615, 3079


def not_null_name_query(constraints: Collection[int]) -> str:
    """Names of NOT NULL constraints, which have no entries: ``(oid, name)``."""
    oids = ", ".join(map(str, constraints))
    return f"""SELECT oid, conrelid::regclass || '.' || quote_ident(conname) FROM pg_constraint
               WHERE oid IN ({oids}) AND contype = 'n' AND conrelid <> 0"""


def _default_privileges(facts: Facts) -> str:
    return f"""
    SELECT concat_ws(' ', 'FOR ' || nullif({role(facts, "defaclrole")}, 'CURRENT_ROLE'),
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


_THEIRS = (  # catalogue, its columns of schema, owner and privileges, kind, name
    (
        "pg_class", "relnamespace", "relowner", "relacl", qualified("relnamespace", "relname"),
        """CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
           WHEN 'f' THEN 'foreign table' ELSE 'table' END""",
    ),
    (
        "pg_proc", "pronamespace", "proowner", "proacl",
        "format('%s.%I(%s)', pronamespace::regnamespace, proname, oidvectortypes(proargtypes))",
        "CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END",
    ),
    (
        "pg_type", "typnamespace", "typowner", "typacl", qualified("typnamespace", "typname"),
        "CASE typtype WHEN 'd' THEN 'domain' ELSE 'type' END",
    ),
    ("pg_language", None, "lanowner", "lanacl", "quote_ident(lanname)", "'language'"),
    ("pg_namespace", "oid", "nspowner", "nspacl", "quote_ident(nspname)", "'schema'"),
    ("pg_foreign_data_wrapper", None, "fdwowner", "fdwacl", "quote_ident(fdwname)", "'foreign data wrapper'"),
)  # fmt: skip


def _their_privileges(facts: Facts) -> str:
    """Privileges on what came with PostgreSQL or an extension, where they are no longer what came with it:
    ``(kind, name, owner, privileges, those that came with it)``.

    Those on columns of PostgreSQL's own catalogues are left out: looking for them would take longer than all the rest.
    """
    parts = []
    for catalog, schema, owner, acl, name, kind in _THEIRS:
        where = [one_of("oid", facts.members[catalog])] if catalog in facts.members else []
        where += [f"{schema} = {CATALOG_SCHEMA}"] if schema else []
        if where:
            parts.append(
                f"SELECT '{catalog}'::regclass AS catalog, oid, 0 AS number, {owner} AS owner, {acl} AS acl,"
                f" {kind} AS kind, {name} AS name FROM {catalog} WHERE {acl} IS NOT NULL AND ({' OR '.join(where)})"
            )
    if "pg_class" in facts.members:
        parts.append(
            f"""
            SELECT {_PG_CLASS}, c.oid, a.attnum, c.relowner, a.attacl, 'column',
                   {qualified("c.relnamespace", "c.relname")} || '.' || quote_ident(a.attname)
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attacl IS NOT NULL AND {one_of("c.oid", facts.members["pg_class"])}
            """
        )
    return f"""
    SELECT kind, name, pg_get_userbyid(owner), acl::text[], initprivs::text[]
    FROM ({" UNION ALL ".join(parts)}) AS theirs
      LEFT JOIN pg_init_privs i ON i.classoid = theirs.catalog AND i.objoid = theirs.oid AND i.objsubid = theirs.number
    WHERE acl IS DISTINCT FROM initprivs
    """


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
            FROM pg_auth_members m JOIN pg_roles role ON role.oid = m.roleid
              JOIN pg_roles member ON member.oid = m.member
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
    FROM pg_parameter_acl, aclexplode(paracl) WHERE grantee <> 10  -- the first superuser, who has them all
    GROUP BY parname, grantee
"""
