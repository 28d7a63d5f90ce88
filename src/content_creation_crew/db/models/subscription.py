"""Subscriptions."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, Enum, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from content_creation_crew.db.base import Base, Created, Updated, bigint_key

if TYPE_CHECKING:
    from content_creation_crew.db.models.organization import Organization


class SubscriptionPlan(enum.StrEnum):
    FREE = "free"
    STARTER = "starter"
    TEAM = "team"
    ENTERPRISE = "enterprise"


class Subscription(Created, Updated, Base):
    """A plan that an organization has, or had, and what it pays a month."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("status IN ('trialing', 'active', 'past_due', 'canceled')", name="status_known"),
        CheckConstraint("seats > 0", name="seats_positive"),
        CheckConstraint("price_cents BETWEEN 0 AND 99999999", name="price_cents_range"),
    )

    id: Mapped[bigint_key]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="RESTRICT"), index=True)
    plan: Mapped[SubscriptionPlan] = mapped_column(
        Enum(SubscriptionPlan, name="subscription_plan", values_callable=lambda plans: [plan.value for plan in plans]),
        server_default=SubscriptionPlan.FREE.value,
    )
    status: Mapped[str] = mapped_column(server_default="trialing")
    price_cents: Mapped[int] = mapped_column(comment="price a month, in hundredths of the currency")
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    seats: Mapped[int] = mapped_column(server_default="1")
    external_id: Mapped[str | None] = mapped_column(
        unique=True, comment="the payment provider's name for it; NULL: never paid"
    )
    trial_ends_at: Mapped[datetime | None]
    current_period_end: Mapped[datetime | None] = mapped_column(index=True)
    canceled_at: Mapped[datetime | None]

    organization: Mapped[Organization] = relationship(back_populates="subscriptions")
