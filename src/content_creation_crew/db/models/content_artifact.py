"""What content jobs have produced."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column, relationship

from content_creation_crew.db.base import Base, Created

if TYPE_CHECKING:
    from content_creation_crew.db.models.content_job import ContentJob


class ContentArtifact(Created, Base):
    """One version of one thing a job produced: text in the row, anything else in the object store."""

    __tablename__ = "content_artifacts"
    __table_args__ = (
        UniqueConstraint("content_job_id", "kind", "version"),
        CheckConstraint("kind IN ('outline', 'draft', 'final', 'image')", name="kind_known"),
        CheckConstraint("(body IS NULL) <> (storage_key IS NULL)", name="body_or_storage_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    content_job_id: Mapped[int] = mapped_column(ForeignKey("content_jobs.id", ondelete="CASCADE"))
    kind: Mapped[str]
    version: Mapped[int] = mapped_column(server_default="1")
    body: Mapped[str | None]
    storage_key: Mapped[str | None]
    word_count: Mapped[int | None]

    job: Mapped[ContentJob] = relationship(back_populates="artifacts")
