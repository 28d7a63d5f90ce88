"""Invoices."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from content_creation_crew.db.base import Base, Created, bigint_key


class Invoice(Created, Base):
    """A bill for one subscription and one period. Kept for ten years, whatever becomes of the customer."""

    __tablename__ = "invoices"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'open', 'paid', 'void')", name="status_known"),
        CheckConstraint("amount_due_cents >= 0", name="amount_due_not_negative"),
        CheckConstraint("amount_paid_cents BETWEEN 0 AND amount_due_cents", name="amount_paid_range"),
    )

    id: Mapped[bigint_key]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="RESTRICT"), index=True)
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id", ondelete="SET NULL"), index=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    status: Mapped[str] = mapped_column(server_default="draft")
    amount_due_cents: Mapped[int]
    amount_paid_cents: Mapped[int] = mapped_column(server_default="0")
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    issued_on: Mapped[date | None] = mapped_column(comment="NULL while it is a draft")
    due_on: Mapped[date | None]
    paid_at: Mapped[datetime | None]
