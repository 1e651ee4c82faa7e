"""Clusters: inquiries that ask nearly the same, told by their wording as each one comes in."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from rapidfuzz import fuzz, process
from sqlalchemy import or_
from sqlmodel import Session, col, select

from knowledge.matching.normalize import normalize, without_courtesy
from knowledge.models import Inquiry, InquiryCluster
from knowledge.models.inquiries import OPEN_STATUSES, SUPPLEMENT

# rapidfuzz ratio 0-100 from which two wordings are the same question: one character in six may differ.
ALIKE = 82
# A question that was answered longer ago than this starts a cluster anew.
REMEMBERED = timedelta(days=30)
_LOOKED_AT = 5000
_LEAST_ALIKE = 70  # ratio with every member of a cluster, however near one of them is
_POLARITY = "已未不没无非"
# 能不能, 可不可以, 签没签 ask for a yes or a no and deny nothing.
_YES_OR_NO = re.compile(r"(.)[不没]\1")
_ASKING = re.compile(r"(?:[吗么呢吧啊呀]+|(?<=[\u4e00-\u9fff])不)$")
# What is counted changes the answer: 一年合同 and 三年合同 have different probation periods.
_COUNT = re.compile(r"\d+|[一二两三四五六七八九十半]+(?=[年个月天日周次倍成])")

# Whether two normalised wordings that look alike must be kept apart because the law answers them differently.
Contrast = Callable[[str, str], bool]


def polarity_differs(first: str, second: str) -> bool:
    """Whether one denies (或 says has happened) what the other does not: 已签合同 and 未签合同 are two questions.

    Exact in the characters 已未不没无非 and in what is counted (三年, 15天): rather two clusters too many than one
    answer to the wrong people.
    """
    return _polarity(first) != _polarity(second) or _counts(first) != _counts(second)


def place(session: Session, inquiry: Inquiry, now: datetime, contrast: Contrast = polarity_differs) -> None:
    """Put a new inquiry into the cluster of the most alike open or lately answered one, or into its own.

    `contrast` keeps apart what must not be answered together, however alike it looks.
    """
    read(inquiry)
    rows = session.exec(
        select(Inquiry.cluster_id, Inquiry.likeness)
        .where(
            col(Inquiry.likeness) != "",
            col(Inquiry.cluster_id).is_not(None),
            col(Inquiry.id) != inquiry.id,
            or_(col(Inquiry.status).in_(OPEN_STATUSES), col(Inquiry.closed_at) > now - REMEMBERED),
        )
        .order_by(col(Inquiry.id).desc())
        .limit(_LOOKED_AT)
    ).all()
    known = [(cluster_id, likeness) for cluster_id, likeness in rows]
    found = process.extract(
        inquiry.likeness, [likeness for _, likeness in known], scorer=fuzz.ratio, score_cutoff=ALIKE, limit=20
    )
    for likeness, _, position in found:
        cluster_id = known[position][0]
        if contrast(inquiry.likeness, likeness) or _splits(inquiry.likeness, cluster_id, known, contrast):
            continue
        inquiry.cluster_id = cluster_id
        break
    else:
        cluster = InquiryCluster(created_at=now)
        session.add(cluster)
        session.flush()
        inquiry.cluster_id = cluster.id
    session.add(inquiry)


def read(inquiry: Inquiry) -> None:
    """Bring what an inquiry is searched and compared by up to its question."""
    question = inquiry.question or ""
    inquiry.normal = normalize(question)
    inquiry.likeness = plain(normalize(question.split(SUPPLEMENT, 1)[0]))


def plain(normalized: str) -> str:
    """A normalised question in the form it is compared in: 能不能转让, 可不可以转让 and 可以转让吗 are one question."""
    text = _ASKING.sub("", _YES_OR_NO.sub(r"\1", without_courtesy(normalized))).replace("可以", "能")
    return text or normalized


def separate(session: Session, inquiry: Inquiry, now: datetime) -> None:
    """Take an inquiry out of its cluster: a colleague saw that it asks something else."""
    cluster = InquiryCluster(created_at=now)
    session.add(cluster)
    session.flush()
    inquiry.cluster_id = cluster.id
    session.add(inquiry)


def _splits(likeness: str, cluster_id: int | None, known: Sequence[tuple[int | None, str]], contrast: Contrast) -> bool:
    """Whether the wording is apart from any member of a cluster: likeness is no chain, A~B~C does not make A~C."""
    members = [text for owner, text in known if owner == cluster_id]
    return any(contrast(likeness, text) or fuzz.ratio(likeness, text) < _LEAST_ALIKE for text in members)


def _polarity(text: str) -> Counter[str]:
    return Counter(character for character in text if character in _POLARITY)


def _counts(text: str) -> Counter[str]:
    return Counter(_COUNT.findall(text))
