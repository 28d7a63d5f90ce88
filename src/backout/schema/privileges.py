"""What an access control list of PostgreSQL says, in words that are the same on every server.

``SELECT, INSERT TO reader; ALL TO OWNER``: the owner of the object is ``OWNER``, the owner of the database
``CURRENT_ROLE``, every other role its quoted name. Source: the manual, section "Privileges".

Not here: reading lists from the catalogues (``schema``).
"""

import re
from collections.abc import Iterable, Mapping

WORDS = {
    "r": "SELECT",
    "a": "INSERT",
    "w": "UPDATE",
    "d": "DELETE",
    "D": "TRUNCATE",
    "x": "REFERENCES",
    "t": "TRIGGER",
    "m": "MAINTAIN",
    "X": "EXECUTE",
    "U": "USAGE",
    "C": "CREATE",
    "c": "CONNECT",
    "T": "TEMPORARY",
    "s": "SET",
    "A": "ALTER SYSTEM",
}

_ITEM = re.compile(r'(?:"((?:[^"]|"")*)"|([^"=]*))=([a-zA-Z*]*)/(?:"((?:[^"]|"")*)"|([^"]*))')


def privileges(items: Iterable[str], owner: str | None, roles: Mapping[str, str], everything: frozenset[str]) -> str:
    """What a list grants.

    :param items: each an ``aclitem`` as text, ``reader=r/postgres``.
    :param owner: of the object, its raw name. None: whoever granted.
    :param roles: raw name → how to write it.
    :param everything: the letters of all privileges that such an object has, which become ``ALL``.
    """
    grants = []
    for item in items:
        grantee, letters, grantor = _parts(item)
        holder = owner if owner is not None else grantor
        to = "OWNER" if grantee == holder else roles.get(grantee, grantee) if grantee else "PUBLIC"
        by = "" if grantor == holder else f" GRANTED BY {roles.get(grantor, grantor)}"
        passed_on = frozenset(re.findall(r"(\w)\*", letters))
        for some, option in ((frozenset(letters) - {"*"} - passed_on, ""), (passed_on, " WITH GRANT OPTION")):
            if some:
                words = "ALL" if some == everything else ", ".join(WORDS[letter] for letter in WORDS if letter in some)
                grants.append((to not in ("OWNER", "PUBLIC"), f"{to}{by}{option}", f"{words} TO {to}{option}{by}"))
    return "; ".join(text for *_, text in sorted(grants)) or "nothing to anybody"


def owners_letters(items: Iterable[str], owner: str) -> frozenset[str]:
    """The privileges that a list grants the owner."""
    return frozenset("".join(letters for grantee, letters, _ in map(_parts, items) if grantee == owner))


def _parts(item: str) -> tuple[str, str, str]:
    """Raw names of grantee (empty for PUBLIC) and grantor, and the letters between."""
    found = _ITEM.fullmatch(item)
    if found is None:
        raise ValueError(f"not an aclitem: {item!r}")
    quoted, plain, letters, by_quoted, by_plain = found.groups()
    return _unquoted(quoted, plain), letters, _unquoted(by_quoted, by_plain)


def _unquoted(quoted: str | None, plain: str | None) -> str:
    return quoted.replace('""', '"') if quoted is not None else plain or ""
