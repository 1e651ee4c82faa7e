"""Builders with good defaults: a test names only what matters to it."""

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from knowledge import comparison, curation, jobs
from knowledge.comparison import Comparison
from knowledge.content.entries import EntryForm
from knowledge.models import EntryDraft

CHECKED = date(2026, 11, 24)


def build_entry(
    id: str = "labor.probation.length",
    title: str = "试用期最长多久",
    question: str = "试用期最长可以约定多久？",
    variants: list[str] | None = None,
    answer: str = "试用期最长六个月，视合同期限而定。\n合同不满一年的不超过一个月。",
    citations: list[dict[str, Any]] | None = None,
    **fields: Any,
) -> EntryForm:
    """An entry about the probation period, in the form the YAML files have."""
    return EntryForm.model_validate(
        {
            "id": id,
            "title": title,
            "topic": "试用期",
            "question": question,
            "audience": ["employee"],
            "variants": variants or PROBATION,
            "answer": answer,
            "citations": citations or [{"statute": "中华人民共和国劳动合同法", "article": 19}],
            "related": [],
            "key_terms": ["试用期"],
            "referral": "12333",
            "checked_on": CHECKED,
            "review_by": date(2027, 11, 24),
            **fields,
        }
    )


PROBATION = [
    "签三年合同试用期几个月",
    "试用期能不能约定一年",
    "一年合同试用期最多多久",
    "公司要延长试用期合法吗",
    "试用期可以约定两次吗",
    "两年的合同试用期三个月行不行",
    "试用期长短有什么规定",
    "HR说试用期要半年",
    "试用期期限",
]
PROBATION_WAGE = [
    "试用期工资打八折可以吗",
    "试用期工资最低多少",
    "转正前工资只给一半合法吗",
    "试用期能不能低于最低工资",
    "试用期不发工资怎么办",
    "谈好八千试用期只给五千",
    "试用期工资标准",
    "试用期待遇比正式员工少多少",
]
ARREARS = [
    "公司拖欠工资去哪里投诉",
    "老板三个月不发工资了",
    "欠薪怎么要回来",
    "工资一直拖着不给",
    "单位欠我两个月工资找谁",
    "拖欠工资可以申请仲裁吗",
    "发不出工资怎么办",
    "老板总说下个月发工资",
]
CAPITAL = [
    "注册资本五年内要缴足吗",
    "新公司法实缴期限",
    "认缴资本多少年要到位",
    "股东出资期限最长几年",
    "公司章程写二十年缴足行吗",
    "注册资金什么时候要实缴",
    "五年实缴是怎么算的",
    "新设公司出资期限",
]
FINE = [
    "收到行政处罚告知书怎么办",
    "罚款前能不能申辩",
    "行政处罚怎么要求听证",
    "市场监管要罚我们公司五万",
    "听证要交钱吗",
    "处罚告知书收到后几天内听证",
    "执法部门罚款太重想陈述意见",
    "吊销许可证之前可以听证吗",
]


def cast_entries() -> list[EntryForm]:
    """A small FAQ over all three domains, for dialogues."""
    return [
        build_entry(related=["labor.probation.wage"]),
        build_entry(
            "labor.probation.wage",
            "试用期工资最低多少",
            "试用期工资最低可以是多少？",
            PROBATION_WAGE,
            "试用期工资不得低于约定工资的百分之八十。\n也不得低于本单位相同岗位最低档工资。",
            [{"statute": "中华人民共和国劳动合同法", "article": 20}],
            key_terms=["试用期工资"],
        ),
        build_entry(
            "labor.wage.arrears",
            "拖欠工资怎么办",
            "公司拖欠工资怎么办？",
            ARREARS,
            "可以向劳动监察投诉，也可以申请劳动仲裁。",
            [{"statute": "中华人民共和国劳动合同法", "article": 30}],
            topic="工资支付",
            key_terms=["拖欠工资"],
        ),
        build_entry(
            "company.capital.five_year",
            "五年内缴足注册资本",
            "新公司法五年内缴足注册资本怎么规定？",
            CAPITAL,
            "有限公司股东认缴的出资须自公司成立之日起五年内缴足。",
            [{"statute": "中华人民共和国公司法", "article": 47}],
            topic="注册资本",
            key_terms=["实缴"],
            audience=["founder"],
        ),
        build_entry(
            "business.admin.hearing",
            "行政处罚怎么听证",
            "行政处罚前怎么要求听证？",
            FINE,
            "较大数额罚款、吊销许可证等处罚前可以要求听证，不收费。",
            [{"statute": "中华人民共和国行政处罚法", "article": 63}],
            topic="行政处罚",
            key_terms=["听证"],
            referral="12345",
        ),
    ]


def as_if_compared(session: Session, draft: EntryDraft, now: datetime) -> None:
    """A finished comparison that found nothing, where publishing is what a test is about."""
    comparison.request(session, draft, "李", now)
    job = jobs.claim(session, now)
    assert job
    jobs.finish(session, job, asdict(Comparison(curation.content_version(session), is_trained=False)), now)
