"""The models, one module each. Importing this package registers all of them with ``Base.metadata``."""

from content_creation_crew.db.base import Base
from content_creation_crew.db.models.audit_log import AuditLog
from content_creation_crew.db.models.billing_event import BillingEvent
from content_creation_crew.db.models.content_artifact import ContentArtifact
from content_creation_crew.db.models.content_job import ContentJob, ContentJobStatus
from content_creation_crew.db.models.invoice import Invoice
from content_creation_crew.db.models.membership import Membership, MembershipRole
from content_creation_crew.db.models.organization import Organization
from content_creation_crew.db.models.retention_notification import RetentionNotification
from content_creation_crew.db.models.session import Session
from content_creation_crew.db.models.subscription import Subscription, SubscriptionPlan
from content_creation_crew.db.models.usage_counter import UsageCounter
from content_creation_crew.db.models.user import User
from content_creation_crew.db.models.user_model_preference import UserModelPreference

__all__ = [
    "AuditLog",
    "Base",
    "BillingEvent",
    "ContentArtifact",
    "ContentJob",
    "ContentJobStatus",
    "Invoice",
    "Membership",
    "MembershipRole",
    "Organization",
    "RetentionNotification",
    "Session",
    "Subscription",
    "SubscriptionPlan",
    "UsageCounter",
    "User",
    "UserModelPreference",
]
