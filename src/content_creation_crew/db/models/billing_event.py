"""What the payment provider has told us."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from content_creation_crew.db.base import Base, bigint_key


class BillingEvent(Base):
    """One webhook call of the payment provider, kept as it came."""

    __tablename__ = "billing_events"
    __table_args__ = (
        Index("ix_billing_events_unprocessed", "received_at", postgresql_where=text("processed_at IS NULL")),
    )

    id: Mapped[bigint_key]
    external_event_id: Mapped[str] = mapped_column(
        unique=True, comment="the provider's id: a call that is repeated is stored once"
    )
    organization_id: Mapped[int | None] = mapped_column(
        ForeignKey("organizations.id", ondelete="SET NULL"), index=True, comment="NULL: a customer we do not know"
    )
    invoice_id: Mapped[int | None] = mapped_column(ForeignKey("invoices.id", ondelete="SET NULL"), index=True)
    event_type: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(
        JSON, comment="as it came: json, not jsonb, which would sort the keys and drop repeated ones"
    )
    received_at: Mapped[datetime] = mapped_column(server_default=func.now())
    processed_at: Mapped[datetime | None]
