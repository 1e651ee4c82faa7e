"""Every table, one file per noun; importing this package makes the schema's metadata complete."""

from sqlmodel import SQLModel

from knowledge.models.alerts import AlertChannel, AlertKind, AlertStatus, StaffAlert
from knowledge.models.askers import Asker, Conversation
from knowledge.models.audit import AuditRecord
from knowledge.models.callbacks import CallbackNumber
from knowledge.models.content import ContentVersion
from knowledge.models.corrections import Correction, CorrectionStatus
from knowledge.models.drafts import DraftComment, DraftStatus, EntryDraft
from knowledge.models.entries import (
    DOMAIN_NAMES,
    Citation,
    Domain,
    EntrySeed,
    EntryStatus,
    EntryVersion,
    FaqEntry,
    Variant,
)
from knowledge.models.figures import Figure
from knowledge.models.inquiries import (
    Inquiry,
    InquiryCluster,
    InquiryCounter,
    InquiryNote,
    InquiryStatus,
    ReplyKind,
    StaffReply,
)
from knowledge.models.jobs import Job, JobKind, JobStatus
from knowledge.models.matching import (
    ConfirmedQuestion,
    FittedWeights,
    MatchingData,
    MatchingKind,
    TrainedModel,
    WeightsUsed,
)
from knowledge.models.messages import DecisionKind, Feedback, FurtherAnswer, Message
from knowledge.models.outbox import OutboxMessage, OutboxStatus
from knowledge.models.sign_offs import SignedArticle, SignOff
from knowledge.models.site_settings import SiteSetting
from knowledge.models.staff import AttemptCount, Role, StaffMember, StaffSession
from knowledge.models.standing import FixedReply, FixedReplyKeyword, Revision, TextVersion, UrgentRule
from knowledge.models.statutes import Article, ReReview, Statute, StatuteVersion
from knowledge.models.test_cases import TestCase

metadata = SQLModel.metadata

__all__ = [
    "DOMAIN_NAMES",
    "AlertChannel",
    "AlertKind",
    "AlertStatus",
    "Article",
    "Asker",
    "AttemptCount",
    "AuditRecord",
    "CallbackNumber",
    "Citation",
    "ConfirmedQuestion",
    "ContentVersion",
    "Conversation",
    "Correction",
    "CorrectionStatus",
    "DecisionKind",
    "Domain",
    "DraftComment",
    "DraftStatus",
    "EntryDraft",
    "EntrySeed",
    "EntryStatus",
    "EntryVersion",
    "FaqEntry",
    "Feedback",
    "Figure",
    "FittedWeights",
    "FixedReply",
    "FixedReplyKeyword",
    "FurtherAnswer",
    "Inquiry",
    "InquiryCluster",
    "InquiryCounter",
    "InquiryNote",
    "InquiryStatus",
    "Job",
    "JobKind",
    "JobStatus",
    "MatchingData",
    "MatchingKind",
    "Message",
    "OutboxMessage",
    "OutboxStatus",
    "ReReview",
    "ReplyKind",
    "Revision",
    "Role",
    "SignOff",
    "SignedArticle",
    "SiteSetting",
    "StaffAlert",
    "StaffMember",
    "StaffReply",
    "StaffSession",
    "Statute",
    "StatuteVersion",
    "TestCase",
    "TextVersion",
    "TrainedModel",
    "UrgentRule",
    "Variant",
    "WeightsUsed",
    "metadata",
]
