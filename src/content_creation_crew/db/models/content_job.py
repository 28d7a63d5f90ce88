"""Content jobs."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from content_creation_crew.db.base import Base, Created, bigint_key

if TYPE_CHECKING:
    from content_creation_crew.db.models.content_artifact import ContentArtifact


class ContentJobStatus(enum.StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ContentJob(Created, Base):
    """One piece of content that a crew of agents was asked to write."""

    __tablename__ = "content_jobs"
    __table_args__ = (
        CheckConstraint(
            "content_type IN ('blog_post', 'newsletter', 'press_release', 'product_page', 'social_post')",
            name="content_type_known",
        ),
        CheckConstraint("finished_at >= started_at", name="finished_after_start"),
        Index(None, "organization_id", "status"),
        # What the workers poll: short, because most jobs are finished.
        Index("ix_content_jobs_queue", "priority", "created_at", postgresql_where=text("status = 'queued'")),
    )

    id: Mapped[bigint_key]
    organization_id: Mapped[int] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    title: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str]
    prompt: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(
        server_default=text("'{}'::jsonb"), comment="tone, audience, length: what the form of the content type asks for"
    )
    status: Mapped[ContentJobStatus] = mapped_column(
        Enum(ContentJobStatus, name="content_job_status", values_callable=lambda labels: [s.value for s in labels]),
        server_default=ContentJobStatus.QUEUED.value,
    )
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="100", comment="the lowest number goes first")
    error: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    artifacts: Mapped[list[ContentArtifact]] = relationship(back_populates="job", passive_deletes=True)
