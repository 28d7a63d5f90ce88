"""Sample rows: six organizations and what they do with the product, the same each time.

    python -m content_creation_crew.db.sample

fills the database of ``DATABASE_URL``, which must be at head and have no users. No clock and no
randomness: pages show these rows in their expected output. Not for production, and not made to hurt:
rows that are come from the rehearsal.

Exit codes: 0 loaded, 1 the database is away or not at head, 2 no usable ``DATABASE_URL``, 3 it has users.
"""

import hashlib
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import func, insert, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from content_creation_crew.db.engine import DISPOSABLE, DatabaseUrlError, create_engine
from content_creation_crew.db.models import Base, User
from content_creation_crew.db.revision import ChainNotFoundError, chain, current_revisions

Row = dict[str, Any]


class NotAtHeadError(RuntimeError):
    """The database is not at the revision that the rows are made for."""


class NotEmptyError(RuntimeError):
    """The database has users already."""


def load(connection: Connection) -> dict[str, int]:
    """Inserts the rows within the caller's transaction and gives their number by table.

    :raises NotAtHeadError: the database is not at head.
    :raises NotEmptyError: there are users; nothing was inserted.
    """
    if problem := chain().problem(current_revisions(connection)):
        raise NotAtHeadError(f"sample rows were not loaded: {problem}")
    # Two loaders at once: the second waits here, and then finds users.
    connection.execute(text("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE"))
    if users := connection.scalar(select(func.count()).select_from(User)):
        raise NotEmptyError(
            f"sample rows were not loaded: the database has {users} {'user' if users == 1 else 'users'} already, "
            f"and they go into an empty one only; {DISPOSABLE}"
        )
    counts = {}
    for name, rows in sample_rows().items():
        connection.execute(insert(Base.metadata.tables[name]), rows)
        counts[name] = len(rows)
        if isinstance(rows[0].get("id"), int):
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"),
                {"name": name, "last": rows[-1]["id"]},
            )
    return counts


def sample_rows() -> dict[str, list[Row]]:
    """The rows by table, parents first. Each has a value for each column, defaults included."""
    return {
        "organizations": list(_organizations()),
        "users": list(_users()),
        "memberships": list(_memberships()),
        "sessions": list(_sessions()),
        "subscriptions": list(_subscriptions()),
        "usage_counters": list(_usage_counters()),
        "content_jobs": list(_content_jobs()),
        "content_artifacts": list(_content_artifacts()),
        "invoices": list(_invoices()),
        "billing_events": list(_billing_events()),
        "audit_log": list(_audit_log()),
        "retention_notifications": list(_retention_notifications()),
        "user_model_preferences": list(_user_model_preferences()),
    }


def main() -> int:
    try:
        with create_engine(poolclass=NullPool).begin() as connection:
            counts = load(connection)
    except (NotAtHeadError, NotEmptyError, ChainNotFoundError, DatabaseUrlError) as error:
        sys.stderr.write(f"error: {error}\n")
        return {NotEmptyError: 3, DatabaseUrlError: 2}.get(type(error), 1)
    except OperationalError as error:
        sys.stderr.write(f"error: sample rows were not loaded: the database cannot be reached: {error.orig}\n")
        return 1
    tables = ", ".join(f"{name} {count}" for name, count in counts.items())
    sys.stdout.write(f"{sum(counts.values())} sample rows: {tables}\n")
    return 0


# The stories behind the rows. Where a number is computed, it is computed from the row's own number, so
# that adding a row changes no other.

START = datetime(2025, 3, 3, 7, 0, tzinfo=UTC)
NOT_A_HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FtcGxlLXNhbHQ$bm90LWEtcmVhbC1oYXNo"

ORGANIZATIONS = [
    # name, slug, billing e-mail, settings, day of sign-up, day of leaving
    ("Northwind Bakery", "northwind-bakery", "accounts@northwind.example.com", {"tone": "warm"}, 0, None),
    (
        "Kraków Design Collective",
        "krakow-design",
        "faktury@krakow-design.example.org",
        {"languages": ["pl", "en"]},
        4,
        None,
    ),
    ("O'Connor & Daughters", "oconnor", None, {}, 17, None),
    ("Café Zürich Medien", "cafe-zuerich", "rechnung@cafe-zuerich.example.net", {"tone": "dry", "sso": True}, 31, None),
    ("田中ロボティクス", "tanaka-robotics", "keiri@tanaka.example.com", {"languages": ["ja"]}, 58, None),
    ("Fjord Travel", "fjord-travel", None, {"tone": "playful"}, 80, 290),
]

USERS = [
    # name, e-mail, organization, role, locale
    ("Amara Okafor", "amara.okafor@example.com", 1, "owner", "en"),
    ("Seán O'Brien", "sean.obrien@example.com", 1, "editor", "en-IE"),
    ("Lucía Fernández", "lucia.fernandez@example.com", 1, "editor", "es"),
    ("Bao Nguyễn", "bao.nguyen@example.com", 1, "viewer", "vi"),
    ("Zofia Wójcik", "zofia.wojcik@example.org", 2, "owner", "pl"),
    ("Michał Kowalczyk", "michal.kowalczyk@example.org", 2, "admin", "pl"),
    ("Agnieszka Nowak-Zielińska", "agnieszka.nz@example.org", 2, "editor", "pl"),
    ("Tomáš Dvořák", "tomas.dvorak@example.org", 2, "editor", "cs"),
    ("Ewa D'Angelo", "ewa.dangelo@example.org", 2, "viewer", "it"),
    ("Niamh O'Connor", "niamh@example.net", 3, "owner", "en-IE"),
    ("Aoife O'Connor", "aoife@example.net", 3, "editor", "en-IE"),
    ("Ji-woo Park", "jiwoo.park@example.net", 3, "editor", "ko"),
    ("Jürg Ämmässalo", "juerg.aemmaessalo@example.net", 4, "owner", "de-CH"),
    ("Chloé Lefèvre", "chloe.lefevre@example.net", 4, "admin", "fr-CH"),
    ("Matteo Bernasconi", "matteo+crew@example.net", 4, "editor", "it-CH"),
    ("Sofía de la Cruz y Ortega", "sofia.delacruz@example.net", 4, "editor", "es"),
    ("Ἀλέξανδρος Παπαδόπουλος", "alexandros.p@example.net", 4, "editor", "el"),
    ("Fatima az-Zahra' Haddad", "fatima.haddad@example.net", 4, "viewer", "ar"),
    ("田中 美咲", "misaki.tanaka@example.com", 5, "owner", "ja"),
    ("佐藤 健", "ken.sato@example.com", 5, "admin", "ja"),
    ("Priya Raghunathan", "priya.raghunathan@example.com", 5, "editor", "en-IN"),
    ("李 娜", "li.na@example.com", 5, "viewer", "zh"),
    ("Ingrid Sørensen", "ingrid.sorensen@example.org", 6, "owner", "nb"),
    ("Þórður Jónsson", "thordur.jonsson@example.org", 6, "editor", "is"),
    ("Léa N'Diaye", "lea.ndiaye@example.org", 6, "viewer", "fr"),
]

#: Freelancers: organization, user, role, who invited them.
GUESTS = [
    (1, 8, "editor", 1),
    (3, 3, "viewer", 10),
    (4, 6, "editor", 13),
    (5, 16, "viewer", None),
    (2, 14, "viewer", 5),
]

PREFERENCES: dict[int, Row] = {
    1: {"theme": "dark", "editor": {"font_size": 16, "spellcheck": True}},
    2: {"theme": "light"},
    3: {"theme": "system", "notifications": {"email": "daily"}},
    5: {"theme": "dark", "notifications": {"email": "never", "in_app": True}},
    6: {"editor": {"font_size": 14}},
    8: {"theme": "light", "language_tools": ["cs", "pl", "en"]},
    10: {"notifications": {"email": "weekly"}},
    13: {"theme": "dark", "editor": {"font_size": 18, "spellcheck": False}, "beta": True},
    14: {"theme": "light", "notifications": {"email": "daily"}},
    15: {},
    17: {"theme": "system", "editor": {"font_size": 15}},
    19: {"theme": "light", "editor": {"vertical": True}},
    20: {"beta": True},
    23: {"theme": "dark"},
}

SUBSCRIPTIONS = [
    # organization, plan, status, cents a month, currency, seats, first day, canceled on day
    (1, "free", "canceled", 0, "EUR", 1, 0, 28),
    (1, "starter", "active", 2900, "EUR", 5, 28, None),
    (2, "team", "active", 11900, "EUR", 10, 4, None),
    (3, "starter", "past_due", 2900, "EUR", 3, 17, None),
    (4, "enterprise", "active", 149900, "CHF", 40, 31, None),
    (5, "team", "trialing", 11900, "EUR", 8, 300, None),
    (5, "starter", "canceled", 2900, "EUR", 4, 58, 300),
    (6, "free", "canceled", 0, "EUR", 1, 80, 290),
]

JOBS = [
    # organization, user, type, title, status
    (1, 1, "blog_post", "Why our sourdough takes three days", "succeeded"),
    (1, 2, "newsletter", "April newsletter: spring breads", "succeeded"),
    (1, 3, "social_post", "Hot cross buns are back", "succeeded"),
    (1, 2, "product_page", "Seeded rye, 900 g", "succeeded"),
    (1, None, "social_post", "Reminder: closed on Whit Monday", "cancelled"),
    (1, 3, "blog_post", "Panettone, day by day", "succeeded"),
    (1, 1, "newsletter", "December newsletter: what to order by when", "failed"),
    (2, 5, "blog_post", "Typografia na opakowaniach: pięć błędów", "succeeded"),
    (2, 6, "press_release", "Kraków Design Collective opens a second studio", "succeeded"),
    (2, 7, "social_post", "Dzień Ziemi: 12 plakatów", "succeeded"),
    (2, 7, "blog_post", "How we pick a typeface for Polish", "succeeded"),
    (2, 8, "product_page", "Plakát „Praha 1968“, A2", "succeeded"),
    (2, 6, "newsletter", "Newsletter: warsztaty w maju", "failed"),
    (2, 5, "blog_post", "Kolor, który drażni", "running"),
    (2, 7, "social_post", "Zapowiedź: targi w Poznaniu", "queued"),
    (3, 10, "product_page", "Hand-knitted Aran jumper", "succeeded"),
    (3, 11, "product_page", "Donegal tweed cap", "succeeded"),
    (3, 12, "blog_post", "What 'superwash' means, and why we don't", "succeeded"),
    (3, 10, "newsletter", "Summer sale: 20% off everything", "succeeded"),
    (3, 11, "social_post", "Meet the sheep", "failed"),
    (3, None, "social_post", "St. Brigid's Day", "queued"),
    (4, 13, "press_release", "Café Zürich Medien übernimmt «Das Magazin am See»", "succeeded"),
    (4, 14, "blog_post", "La Suisse romande, vue de Zurich", "succeeded"),
    (4, 15, "newsletter", "Newsletter di settembre", "succeeded"),
    (4, 16, "blog_post", "Diez cafés para escribir una novela", "succeeded"),
    (4, 17, "social_post", "Ένας καφές, μια ιεροτελεστία", "succeeded"),
    (4, 14, "product_page", "Abonnement découverte, 3 mois", "succeeded"),
    (4, 13, "blog_post", "Was ein Espresso kosten darf", "cancelled"),
    (4, 15, "social_post", "Una tazzina al giorno", "running"),
    (4, 16, "press_release", "New editor for the weekend edition", "queued"),
    (5, 19, "product_page", "協働ロボットアーム TR-7", "succeeded"),
    (5, 20, "press_release", "国際ロボット展に出展します", "succeeded"),
    (5, 21, "blog_post", "Grippers for soft fruit: a field report", "succeeded"),
    (5, 21, "blog_post", "Safety fences, or none?", "failed"),
    (5, 19, "newsletter", "代理店向けニュースレター 第12号", "running"),
    (5, 20, "social_post", "TR-7 が桃をつかむ", "queued"),
    (6, 23, "blog_post", "Seven fjords you can reach by bus", "succeeded"),
    (6, 24, "social_post", "Norðurljós í nóvember", "succeeded"),
    (6, 23, "newsletter", "Vinterbrev: hytter med badstue", "cancelled"),
    (6, 24, "product_page", "Five days on the Hurtigruten", "succeeded"),
]

ERRORS = [
    "the model refused: the prompt asks for health claims",
    "time-out: the research agent did not answer within 300 s",
    "quota exceeded: 0 of 200 jobs are left this month",
    "the fact-checking agent found 3 claims without a source",
]


def _organizations() -> Iterator[Row]:
    for number, (name, slug, billing_email, settings, joined, left) in enumerate(ORGANIZATIONS, 1):
        yield {
            "id": number,
            "name": name,
            "slug": slug,
            "billing_email": billing_email,
            "settings": settings,
            "created_at": _moment(joined, number),
            "updated_at": _moment(joined + 3 * number, number),
            "deleted_at": None if left is None else _moment(left, number),
        }


def _users() -> Iterator[Row]:
    for number, (name, email, organization, _, locale) in enumerate(USERS, 1):
        joined = ORGANIZATIONS[organization - 1][4] + number
        # The fourth organization signs in through its identity provider.
        yield {
            "id": number,
            "email": email,
            "display_name": name,
            "password_hash": None if organization == 4 else NOT_A_HASH,
            "locale": locale,
            "is_active": organization != 6,
            "preferences": PREFERENCES.get(number),
            "last_seen_at": None if number % 6 == 0 else _moment(280 + number, number),
            "created_at": _moment(joined, number),
            "updated_at": _moment(joined + 2 * number, number),
        }


def _memberships() -> Iterator[Row]:
    owners: dict[int, int] = {}
    for number, (_, _, organization, role, _) in enumerate(USERS, 1):
        owner = owners.setdefault(organization, number)
        yield _membership(organization, number, role, None if owner == number else owner)
    for organization, user, role, invited_by in GUESTS:
        yield _membership(organization, user, role, invited_by)


def _membership(organization: int, user: int, role: str, invited_by: int | None) -> Row:
    return {
        "organization_id": organization,
        "user_id": user,
        "role": role,
        "invited_by_id": invited_by,
        "created_at": _moment(ORGANIZATIONS[organization - 1][4] + user, user),
    }


def _sessions() -> Iterator[Row]:
    agents = ["Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0", "crew-cli/1.4.2", None]
    addresses = ["192.0.2.17", "198.51.100.203", None, "2001:db8:85a3::8a2e:370:7334", "203.0.113.80"]
    for number in range(1, 21):
        signed_in = _moment(290 + number, number)
        yield {
            "id": _uuid("sessions", number),
            "user_id": number,
            "token_hash": hashlib.sha256(f"sample session {number}".encode()).digest(),
            "ip_address": addresses[number % 5],
            "user_agent": agents[number % 3],
            "created_at": signed_in,
            "expires_at": signed_in + timedelta(days=30),
            "revoked_at": signed_in + timedelta(days=2) if number % 7 == 0 else None,
        }


def _subscriptions() -> Iterator[Row]:
    for number, (organization, plan, status, cents, currency, seats, start, canceled) in enumerate(SUBSCRIPTIONS, 1):
        paid = cents > 0 and status != "trialing"
        yield {
            "id": number,
            "organization_id": organization,
            "plan": plan,
            "status": status,
            "price_cents": cents,
            "currency": currency,
            "seats": seats,
            "external_id": f"sub_{organization:02}{number:04}" if paid else None,
            "trial_ends_at": _moment(start + 14, number) if cents else None,
            "current_period_end": _moment(332, number) if canceled is None else None,
            "canceled_at": None if canceled is None else _moment(canceled, number),
            "created_at": _moment(start, number),
            "updated_at": _moment(start + 20, number),
        }


def _usage_counters() -> Iterator[Row]:
    quotas = {1: 50, 2: 200, 3: 50, 4: None, 5: 200, 6: 5}
    for organization, quota in quotas.items():
        for month in (date(2025, 10, 1), date(2025, 11, 1), date(2025, 12, 1)):
            for metric, scale in (("jobs", 1), ("tokens", 12_500), ("images", 2)):
                yield {
                    "organization_id": organization,
                    "period_start": month,
                    "metric": metric,
                    "used": (organization * month.month * 7 % (quota or 900)) * scale,
                    "quota": None if quota is None else quota * scale,
                    "updated_at": datetime(month.year, month.month, 28, 23, organization, tzinfo=UTC),
                }


def _content_jobs() -> Iterator[Row]:
    failures = iter(ERRORS)
    for number, (organization, user, content_type, title, status) in enumerate(JOBS, 1):
        created = _moment(95 + 5 * number, number)
        started = created + timedelta(seconds=2 + number % 11) if status not in {"queued", "cancelled"} else None
        ended = started + timedelta(seconds=40 + 13 * number) if started and status != "running" else None
        yield {
            "id": number,
            "organization_id": organization,
            "created_by_id": user,
            "title": title,
            "content_type": content_type,
            "prompt": f"Write a {content_type.replace('_', ' ')} with the title “{title}”. Cite sources.",
            "parameters": {"words": 150 + 50 * (number % 9)} if number % 5 else {},
            "status": status,
            "priority": 10 if organization == 4 else 100,
            "error": next(failures) if status == "failed" else None,
            "created_at": created,
            "started_at": started,
            "finished_at": ended,
        }


def _content_artifacts() -> Iterator[Row]:
    for job in _content_jobs():
        if job["finished_at"] is None:
            continue
        kinds = ["outline", "draft", "final"] if job["status"] == "succeeded" else ["outline"]
        if job["content_type"] == "product_page":
            kinds = ["outline", "final", "image"]
        for place, kind in enumerate(kinds):
            body = None if kind == "image" else f"# {job['title']}\n\n({kind}, about {120 * place + 40} words)"
            yield {
                "id": _uuid("content_artifacts", 10 * job["id"] + place),
                "content_job_id": job["id"],
                "kind": kind,
                "version": 1,
                "body": body,
                "storage_key": f"artifacts/{job['id']}/{kind}-1.webp" if body is None else None,
                "word_count": None if body is None else 120 * place + 40,
                "created_at": job["started_at"] + timedelta(seconds=12 * (place + 1)),
            }


def _invoices() -> Iterator[Row]:
    paid_plans = [(2, 1), (3, 2), (4, 3), (5, 4)]
    number = 0
    for month in (9, 10, 11, 12):
        for subscription, organization in paid_plans:
            number += 1
            status = "paid"
            if month == 12:
                status = "draft"
            elif organization == 3 and month > 9:
                status = "open"
            yield _invoice(number, organization, subscription, status, date(2025, month, 1))
    # An invoice whose subscription was removed by support, and one made in error.
    yield _invoice(17, 5, None, "paid", date(2025, 12, 28))
    yield _invoice(18, 6, 8, "void", date(2025, 11, 1))


def _invoice(number: int, organization: int, subscription: int | None, status: str, month: date) -> Row:
    _, _, _, cents, currency, seats, _, _ = SUBSCRIPTIONS[(subscription or 7) - 1]
    due = cents * seats
    made = datetime(month.year, month.month, month.day, 2, 0, number, tzinfo=UTC)
    issued = None if status == "draft" else month
    return {
        "id": number,
        "organization_id": organization,
        "subscription_id": subscription,
        "number": f"CCC-2025-{number:05}",
        "status": status,
        "amount_due_cents": due,
        "amount_paid_cents": due if status == "paid" else 0,
        "currency": currency,
        "issued_on": issued,
        "due_on": issued + timedelta(days=14) if issued else None,
        "paid_at": made + timedelta(days=number % 12, hours=7, microseconds=250_007) if status == "paid" else None,
        "created_at": made,
    }


def _billing_events() -> Iterator[Row]:
    number = 0
    for invoice in _invoices():
        kinds = {
            "paid": ["invoice.finalized", "invoice.paid"],
            "open": ["invoice.finalized"],
            "void": ["invoice.voided"],
        }
        for kind in kinds.get(invoice["status"], []):
            number += 1
            yield _billing_event(number, kind, invoice["organization_id"], invoice["id"], invoice["created_at"])
    # A customer whom only the provider knows: still waiting for somebody to look.
    yield _billing_event(number + 1, "customer.created", None, None, _moment(300, 1))


def _billing_event(number: int, kind: str, organization: int | None, invoice: int | None, moment: datetime) -> Row:
    return {
        "id": number,
        "external_event_id": f"evt_{_uuid('billing_events', number).hex[:20]}",
        "organization_id": organization,
        "invoice_id": invoice,
        "event_type": kind,
        "payload": {"type": kind, "livemode": False, "data": {"number": invoice and f"CCC-2025-{invoice:05}"}},
        "received_at": moment + timedelta(seconds=90, milliseconds=number),
        "processed_at": None if organization is None else moment + timedelta(seconds=91, milliseconds=3 * number),
    }


def _audit_log() -> Iterator[Row]:
    numbers = count(1)
    for organization, (_, slug, _, _, joined, _) in enumerate(ORGANIZATIONS, 1):
        subject = f"organizations/{organization}"
        yield _audit(next(numbers), organization, None, "organization.created", subject, day=joined, slug=slug)
    for row in _memberships():
        if row["invited_by_id"] is not None:
            number = next(numbers)
            organization, actor = row["organization_id"], row["invited_by_id"]
            subject = f"memberships/{organization},{row['user_id']}"
            day = 20 + 3 * number
            yield _audit(number, organization, actor, "membership.invited", subject, day=day, role=row["role"])
    for row in _content_jobs():
        if row["status"] == "cancelled":
            number = next(numbers)
            organization, actor = row["organization_id"], row["created_by_id"]
            subject = f"content_jobs/{row['id']}"
            yield _audit(number, organization, actor, "content_job.cancelled", subject, day=120 + number)
    yield _audit(next(numbers), None, None, "retention.swept", "content_jobs", day=310, deleted=0)


def _audit(
    number: int, organization: int | None, actor: int | None, action: str, subject: str, *, day: int, **details: Any
) -> Row:
    return {
        "id": number,
        "organization_id": organization,
        "actor_id": actor,
        "action": action,
        "subject": subject,
        "details": details,
        "ip_address": None if actor is None else f"198.51.100.{actor}",
        "occurred_at": _moment(day, number),
    }


def _retention_notifications() -> Iterator[Row]:
    number = 0
    for job, user in ((37, 23), (38, 24), (39, 23), (40, 24), (1, 1), (2, 2)):
        for channel in ("email", "in_app"):
            number += 1
            send_after = _moment(300 + job % 20, number)
            yield {
                "id": number,
                "content_job_id": job,
                "user_id": user,
                "channel": channel,
                "send_after": send_after,
                "sent_at": None if number % 4 == 0 else send_after + timedelta(minutes=5, seconds=number),
                "created_at": send_after - timedelta(days=30),
            }


def _user_model_preferences() -> Iterator[Row]:
    types = ["blog_post", "newsletter", "press_release", "product_page", "social_post"]
    models = ["large-2025-06", "small-2025-09", "large-2025-06-long"]
    for number in range(1, 16):
        yield {
            "user_id": number + number // 2,
            "content_type": types[number % 5],
            "model": models[number % 3],
            "temperature": None if number % 4 == 0 else Decimal(20 + 7 * number) / 100,
            "max_output_tokens": None if number % 3 == 0 else 500 * number,
            "updated_at": _moment(150 + 6 * number, number),
        }


def _moment(day: int, number: int) -> datetime:
    """A time of the working day, ``day`` days after the start, with microseconds as clocks have them."""
    return START + timedelta(
        days=day, minutes=number * 37 % 600, seconds=number * 11 % 60, microseconds=number * 104_729 % 10**6
    )


def _uuid(table: str, number: int) -> UUID:
    return uuid5(NAMESPACE_URL, f"https://crew.example.com/sample/{table}/{number}")


if __name__ == "__main__":
    sys.exit(main())
