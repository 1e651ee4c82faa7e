"""Every table, one file per noun; importing this package makes the schema's metadata complete."""

from sqlmodel import SQLModel

from knowledge.models.askers import Asker, Conversation
from knowledge.models.content import ContentVersion
from knowledge.models.entries import Citation, Domain, EntryStatus, EntryVersion, FaqEntry, Variant
from knowledge.models.figures import Figure
from knowledge.models.inquiries import Inquiry, InquiryCounter, InquiryStatus, StaffReply
from knowledge.models.messages import DecisionKind, Feedback, Message
from knowledge.models.outbox import OutboxMessage, OutboxStatus
from knowledge.models.staff import Role, StaffMember

metadata = SQLModel.metadata

__all__ = [
    "Asker",
    "Citation",
    "ContentVersion",
    "Conversation",
    "DecisionKind",
    "Domain",
    "EntryStatus",
    "EntryVersion",
    "FaqEntry",
    "Feedback",
    "Figure",
    "Inquiry",
    "InquiryCounter",
    "InquiryStatus",
    "Message",
    "OutboxMessage",
    "OutboxStatus",
    "Role",
    "StaffMember",
    "StaffReply",
    "Variant",
    "metadata",
]
