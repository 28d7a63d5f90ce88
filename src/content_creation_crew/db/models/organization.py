"""Organizations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from content_creation_crew.db.base import Base, Created, Updated, bigint_key

if TYPE_CHECKING:
    from content_creation_crew.db.models.membership import Membership
    from content_creation_crew.db.models.subscription import Subscription


class Organization(Created, Updated, Base):
    """A customer: the owner of content, and who pays for it."""

    __tablename__ = "organizations"
    __table_args__ = (CheckConstraint("slug = lower(slug)", name="slug_lower_case"),)

    id: Mapped[bigint_key]
    name: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(63), unique=True, comment="first label of the organization's host name")
    billing_email: Mapped[str | None] = mapped_column(String(320))
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    deleted_at: Mapped[datetime | None] = mapped_column(
        comment="set when the customer leaves; rows go 30 days later, invoices stay"
    )

    memberships: Mapped[list[Membership]] = relationship(back_populates="organization", passive_deletes=True)
    subscriptions: Mapped[list[Subscription]] = relationship(back_populates="organization", passive_deletes="all")
