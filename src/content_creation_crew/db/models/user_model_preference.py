"""Which language model a user wants for what."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from content_creation_crew.db.base import Base, Updated


class UserModelPreference(Updated, Base):
    """The model, and how it is called, that a user has chosen for one type of content."""

    __tablename__ = "user_model_preferences"
    __table_args__ = (
        CheckConstraint(
            "content_type IN ('blog_post', 'newsletter', 'press_release', 'product_page', 'social_post')",
            name="content_type_known",
        ),
        CheckConstraint("temperature BETWEEN 0 AND 2", name="temperature_range"),
        CheckConstraint("max_output_tokens > 0", name="max_output_tokens_positive"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    content_type: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str] = mapped_column(comment="the model's name in the gateway, e.g. large-2025-06")
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(3, 2), comment="NULL: the model's own default")
    max_output_tokens: Mapped[int | None]
