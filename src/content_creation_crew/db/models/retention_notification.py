"""Announcements of deletions."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from content_creation_crew.db.base import Base, Created, bigint_key


class RetentionNotification(Created, Base):
    """A notice to a user that a content job reaches the end of its retention and will be deleted."""

    __tablename__ = "retention_notifications"
    __table_args__ = (
        UniqueConstraint("content_job_id", "user_id", "channel"),
        CheckConstraint("channel IN ('email', 'in_app')", name="channel_known"),
        Index("ix_retention_notifications_unsent", "send_after", postgresql_where=text("sent_at IS NULL")),
    )

    id: Mapped[bigint_key]
    content_job_id: Mapped[int] = mapped_column(ForeignKey("content_jobs.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(server_default="email")
    send_after: Mapped[datetime]
    sent_at: Mapped[datetime | None]
