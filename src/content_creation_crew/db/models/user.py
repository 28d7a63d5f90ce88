"""Users."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, String, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from content_creation_crew.db.base import Base, Created, Updated, bigint_key

if TYPE_CHECKING:
    from content_creation_crew.db.models.membership import Membership
    from content_creation_crew.db.models.session import Session


class User(Created, Updated, Base):
    """A person who signs in. Belongs to organizations by way of memberships."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower_case"),)

    id: Mapped[bigint_key]
    email: Mapped[str] = mapped_column(String(320), unique=True)
    display_name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(
        comment="argon2id; NULL for somebody who signs in through the organization's identity provider"
    )
    locale: Mapped[str] = mapped_column(String(12), server_default="en")
    is_active: Mapped[bool] = mapped_column(server_default=true())
    preferences: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True), comment="choices made on the settings page; NULL: never saved any"
    )
    last_seen_at: Mapped[datetime | None]

    memberships: Mapped[list[Membership]] = relationship(
        back_populates="user", foreign_keys="Membership.user_id", passive_deletes=True
    )
    sessions: Mapped[list[Session]] = relationship(back_populates="user", passive_deletes=True)
