"""Metered usage."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from content_creation_crew.db.base import Base, Updated


class UsageCounter(Updated, Base):
    """How much of one metered thing an organization has used in one month."""

    __tablename__ = "usage_counters"
    __table_args__ = (
        CheckConstraint("used >= 0", name="used_not_negative"),
        CheckConstraint("metric IN ('jobs', 'tokens', 'images')", name="metric_known"),
    )

    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True)
    period_start: Mapped[date] = mapped_column(primary_key=True, comment="first day of the month, UTC")
    metric: Mapped[str] = mapped_column(primary_key=True)
    used: Mapped[int] = mapped_column(BigInteger, server_default="0")
    quota: Mapped[int | None] = mapped_column(BigInteger, comment="NULL: unlimited")
