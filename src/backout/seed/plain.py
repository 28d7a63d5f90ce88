"""Values meant to hurt, and values that should not, for every data type that has no parts and no modifier.

Hurting values lose something when they are narrowed, rounded, folded, trimmed or reformatted: full lengths, trailing
spaces, combining characters, microseconds, extreme numbers, duplicate keys. Tame ones keep what is lost quietly
(capitals, microseconds, fractions, odd white space) and leave out what makes statements fail (length, range, NULL,
duplicates, other alphabets). All is text that the type's input takes.

Not here: types with parts or modifiers (``seed.values``). Pure data.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Values:
    """Values of a type, the most important first.

    :param sure: they are valid by construction; else the server must be asked about each.
    """

    hurting: tuple[str, ...]
    tame: tuple[str, ...]
    sure: bool = True


TAME_TEXTS = ("Alpha One", "Beta Two", "Gamma Three", "Delta Four", "Epsilon Five", "Zeta Six")
TAME_NUMBERS = ("19.99", "5.25", "7.5", "3.1", "0.75", "12.45", "0.25", "0.5", "0.125")


def numbers(*values: int) -> tuple[str, ...]:
    """Numbers as text."""
    return tuple(str(value) for value in values)


_UUIDS = (
    "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "01890a5d-ac96-774b-bcce-b302099a8057",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
)  # fmt: skip
PLAIN: Mapping[str, Values] = {
    "bool": Values(("t", "f"), ("t", "f")),
    "float8": Values(
        ("0.30000000000000004", "1.7976931348623157e+308", "-2.2250738585072014e-308", "0", "16777217", "-1.5", "2.5"),
        ("0.30000000000000004", "19.99", "5.25", "7.1", "3.3333333333333335", "12.45"),
    ),
    "float4": Values(
        ("0.1", "3.4028235e+38", "-1.1754944e-38", "0", "16777216", "-1.5"),
        ("19.99", "5.25", "7.1", "3.3", "12.45", "8.2"),
    ),
    "date": Values(
        ("1969-12-31", "2024-02-29", "2999-12-31", "1582-10-04", "2023-03-26", "0099-01-01"),
        tuple(f"2024-05-{day:02d}" for day in range(2, 8)),
    ),
    "timestamp": Values(
        (
            "2024-02-29 23:59:59.999999",
            "1969-12-31 23:59:59.999999",
            "2023-03-26 02:30:00",
            "2023-10-29 02:30:00.000001",
            "2999-12-31 00:00:00",
            "1899-12-31 12:34:56.789012",
        ),
        tuple(f"2024-05-{day:02d} 10:11:12.{day}45678" for day in range(2, 8)),
    ),
    "timestamptz": Values(
        (
            "2024-02-29 23:59:59.999999+05:45",
            "1969-12-31 23:59:59.999999-03:30",
            "2023-10-29 00:30:00.000001+00",
            "2023-10-29 01:30:00.000001+00",
            "2999-12-31 00:00:00+14",
            "1899-12-31 12:34:56.789012+00",
        ),
        tuple(f"2024-05-{day:02d} 10:11:12.{day}45678+02" for day in range(2, 8)),
    ),
    "time": Values(
        ("23:59:59.999999", "00:00:00", "02:30:00.000001", "24:00:00"),
        tuple(f"10:1{digit}:12.{digit}45678" for digit in range(1, 7)),
    ),
    "timetz": Values(
        ("23:59:59.999999+05:45", "00:00:00-12", "02:30:00.000001+00"),
        tuple(f"10:1{digit}:12.{digit}45678+02" for digit in range(1, 7)),
    ),
    "interval": Values(
        ("1 year 2 mons 3 days 04:05:06.789012", "40 days 25:00:00", "-1 mons +1 day -00:00:00.000001", "00:00:00"),
        tuple(f"{days} days 01:02:03.{days}45" for days in range(1, 7)),
    ),
    "uuid": Values(_UUIDS, tuple(f"6ba7b81{digit}-9dad-41d1-80b4-00c04fd430c8" for digit in range(1, 7))),
    "bytea": Values(
        ("\\x00ff00fe", "\\xc328a0a1", "\\x", "\\x" + "00c3a9ff" * 80, "\\x5c785c27"),
        tuple("\\x" + text.encode().hex() for text in TAME_TEXTS),
    ),
    "inet": Values(
        ("192.0.2.1/24", "2001:db8::1", "255.255.255.255", "10.0.0.0/8", "::ffff:192.0.2.128/96"),
        tuple(f"192.0.2.{last}" for last in range(1, 7)),
    ),
    "cidr": Values(
        ("192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0", "10.1.2.3/32"), tuple(f"198.51.{n}.0/24" for n in range(1, 7))
    ),
    "macaddr": Values(
        ("08-00-2B-01-02-03", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00"),
        tuple(f"08:00:2b:01:02:0{digit}" for digit in range(1, 7)),
    ),
    "macaddr8": Values(
        ("08-00-2B-FF-FE-01-02-03", "ff:ff:ff:ff:ff:ff:ff:ff"),
        tuple(f"08:00:2b:ff:fe:01:02:0{digit}" for digit in range(1, 7)),
    ),
    "char": Values(("Z", "a", " "), tuple("ABCDEF")),
    "oid": Values(("4294967295", "0", "1"), numbers(*range(1, 7))),
    "xid": Values(("4294967295", "3"), numbers(*range(3, 9))),
    "xid8": Values(("18446744073709551615", "3"), numbers(*range(3, 9))),
    "tid": Values(("(0,1)", "(4294967295,65535)"), tuple(f"(0,{number})" for number in range(1, 7))),
    "money": Values(("-92233720368547758.07", "0.01", "1234.56"), TAME_NUMBERS[:6], sure=False),
    "xml": Values(
        ("<a  b='1'> x &amp; <![CDATA[<y>]]></a>", "<é/>", "text <b/>"),
        tuple(f"<a>{text}</a>" for text in TAME_TEXTS),
        sure=False,
    ),
    "tsvector": Values(
        ("'Fat':2A 'rat':3,4B 'it''s'", "", "'zoë':1"), tuple(f"'{text.lower()}':1" for text in TAME_TEXTS)
    ),
    "tsquery": Values(
        ("'fat' & ( 'rat' | !'cat' )", "'super':*A", ""), tuple(f"'{text.lower()}'" for text in TAME_TEXTS)
    ),
    "jsonpath": Values(('$."a"[*]?(@."b" > 1)', "strict $", "$"), tuple(f"$.a{number}" for number in range(1, 7))),
    "pg_lsn": Values(("16/B374D848", "0/0", "FFFFFFFF/FFFFFFFF"), tuple(f"16/{number}0" for number in range(1, 7))),
    "pg_snapshot": Values(("10:20:10,14,15",), tuple(f"10:{number}:" for number in range(11, 17))),
    "txid_snapshot": Values(("10:20:10,14,15",), tuple(f"10:{number}:" for number in range(11, 17))),
    "point": Values(("(0.30000000000000004,-1.5)", "(0,0)"), tuple(f"({number}.5,2)" for number in range(1, 7))),
    "line": Values(("{1,-1,0.30000000000000004}", "{0,1,0}"), tuple(f"{{1,{number},0}}" for number in range(1, 7))),
    "lseg": Values(("[(0,0),(1.5,-2.25)]",), tuple(f"[(0,0),(1,{number})]" for number in range(1, 7))),
    "box": Values(("(3,4),(1.5,-2.25)", "(0,0),(0,0)"), tuple(f"({number},4),(0,2)" for number in range(1, 7))),
    "path": Values(
        ("((0,0),(1,1.5),(2,0))", "[(0,0),(1,1.5)]"), tuple(f"[(0,0),(1,{number})]" for number in range(1, 7))
    ),
    "polygon": Values(("((0,0),(1,1.5),(2,0))", "((0,0))"), tuple(f"((0,0),(1,{n}),(2,0))" for n in range(1, 7))),
    "circle": Values(("<(1.5,-2.25),0.30000000000000004>", "<(0,0),0>"), tuple(f"<(1,2),{n}>" for n in range(1, 7))),
    "int2vector": Values(("1 2 3", ""), numbers(*range(1, 7))),
    "oidvector": Values(("1 2 3", ""), numbers(*range(1, 7))),
    "refcursor": Values(("MiXeD",), TAME_TEXTS),
    "regclass": Values(("pg_catalog.pg_class",), ("pg_catalog.pg_class", "pg_catalog.pg_type"), sure=False),
    "regtype": Values(("integer",), ("integer", "text"), sure=False),
    "regnamespace": Values(("pg_catalog",), ("pg_catalog",), sure=False),
    "regproc": Values(("pg_catalog.now",), ("pg_catalog.now",), sure=False),
    "regprocedure": Values(("pg_catalog.now()",), ("pg_catalog.now()",), sure=False),
    "regconfig": Values(("english", "simple"), ("english", "simple"), sure=False),
    "regrole": Values(("pg_monitor",), ("pg_monitor",), sure=False),
    "hstore": Values(
        ('"a"=>"1", "b"=>NULL, "A B"=>""', "", '"Ключ"=>"Zoe\u0308"'),
        tuple(f'"name"=>"{text}"' for text in TAME_TEXTS),
        sure=False,
    ),
    "ltree": Values(
        ("Top.Science.Astronomy", "top", ""), tuple(f"Top.{text.replace(' ', '_')}" for text in TAME_TEXTS), sure=False
    ),
    "lquery": Values(("Top.*{1,2}.foo@",), ("Top", "Top.*"), sure=False),
    "ltxtquery": Values(("Europe & Russia*@ & !Transportation",), ("Europe", "Asia"), sure=False),
    "cube": Values(("(1,2.5),(3,4)", "(0)"), tuple(f"({number})" for number in range(1, 7)), sure=False),
    "seg": Values(("1.10 .. 3", "~2"), tuple(f"{number}" for number in range(1, 7)), sure=False),
    "isbn": Values(("978-0-393-04002-9",), ("978-0-393-04002-9", "0-306-40615-2"), sure=False),
    "isbn13": Values(("978-0-393-04002-9",), ("978-0-393-04002-9", "978-0-306-40615-7"), sure=False),
    "ean13": Values(("978-0-393-04002-9",), ("978-0-393-04002-9", "978-0-306-40615-7"), sure=False),
    "query_int": Values(("1&(2|3)",), ("1", "2"), sure=False),
}

# For types that nobody told of: whatever one of them takes.
GUESSES = (
    "1", "2", "Alpha", "a", "{}", "[]", "(1,1)", "(1,2),(3,4)", "1,2", "1.5", "{1,2}", "[1,2]", "[1,2)", "POINT(1 1)",
    "POINT(2 1)", "LINESTRING(0 0,1 1)", "POLYGON((0 0,0 1,1 1,0 0))", "MULTIPOLYGON(((0 0,0 1,1 1,0 0)))",
    "2024-05-02", "10:11:12", "192.0.2.1", "08:00:2b:01:02:03", "6ba7b811-9dad-41d1-80b4-00c04fd430c8", "1.0.0",
    "en_US", "USD 1.5", "\\x00", "Top.A", '"a"=>"1"', "<a/>", "0/1", "t", "a@b.example", "http://example.org/",
)  # fmt: skip

_DAY = datetime(2001, 1, 1)


def _after(number: int) -> datetime:
    """Moments an hour apart."""
    return _DAY + timedelta(hours=number)


FRESH: Mapping[str, Callable[[int], str]] = {
    "float8": lambda number: f"{1000 + number}.5",
    "float4": lambda number: f"{1000 + number}.5",
    "date": lambda number: f"{_DAY + timedelta(days=number):%Y-%m-%d}",
    "timestamp": lambda number: f"{_after(number):%Y-%m-%d %H:%M:%S}.000001",
    "timestamptz": lambda number: f"{_after(number):%Y-%m-%d %H:%M:%S}.000001+00",
    "time": lambda number: f"{_DAY + timedelta(seconds=7 * number):%H:%M:%S}.000001",
    "timetz": lambda number: f"{_DAY + timedelta(seconds=7 * number):%H:%M:%S}.000001+00",
    "interval": lambda number: f"{number} days 00:00:00.000001",
    "uuid": lambda number: f"00000000-0000-4000-8000-{number:012x}",
    "bytea": lambda number: f"\\x00ff{number:08x}",
    "inet": lambda number: f"10.{number // 250 % 250}.{number % 250}.1",
    "cidr": lambda number: f"10.{number // 250 % 250}.{number % 250}.0/24",
    "macaddr": lambda number: f"0a:00:00:00:{number // 256 % 256:02x}:{number % 256:02x}",
    "macaddr8": lambda number: f"0a:00:00:00:00:00:{number // 256 % 256:02x}:{number % 256:02x}",
    "json": lambda number: f'{{"fresh":  {number}}}',
    "jsonb": lambda number: f'{{"fresh":  {number}}}',
    "oid": lambda number: str(1000 + number),
    "xid8": lambda number: str(1000 + number),
    "pg_lsn": lambda number: f"1/{number:X}",
    "tsvector": lambda number: f"'fresh{number}':1",
    "money": lambda number: f"{1000 + number}.50",
    "point": lambda number: f"({number},0.5)",
    "box": lambda number: f"({2 * number + 1},1),({2 * number},0)",
    "circle": lambda number: f"<({3 * number},0),1>",
    "hstore": lambda number: f'"fresh"=>"{number}"',
    "ltree": lambda number: f"Fresh.n{number}",
    "cube": lambda number: f"({number})",
    "xml": lambda number: f"<fresh>{number}</fresh>",
}
