"""The audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from content_creation_crew.db.base import Base, bigint_key


class AuditLog(Base):
    """Something that somebody did, written once and never changed. Outlives its actor and organization."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "organization_id", "occurred_at"),
        # Rows arrive in order of time, so a block range index does, at a thousandth of the size.
        Index(None, "occurred_at", postgresql_using="brin"),
    )

    id: Mapped[bigint_key]
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    actor_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True, comment="NULL: the system itself, or a deleted user"
    )
    action: Mapped[str] = mapped_column(comment="object and past tense, e.g. membership.role_changed")
    subject: Mapped[str] = mapped_column(comment="table and key, e.g. content_jobs/17")
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    ip_address: Mapped[str | None] = mapped_column(INET)
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now())
