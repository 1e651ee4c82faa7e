"""Pages from templates: escaped always, strict about what a template asks for."""

from datetime import datetime
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from admin.auth import ROLE_NAMES, form_token, may
from knowledge.models import DOMAIN_NAMES, Role, StaffMember
from knowledge.reports.wording import share
from knowledge.working_days import SHANGHAI, working_days_between

# The rooms of the workbench as the head of each page lists them: path, name, who may enter, and where else
# the room's pages are.
ROOMS: tuple[tuple[str, str, Role, tuple[str, ...]], ...] = (
    ("/", "今日", Role.VIEWER, ()),
    ("/inquiries", "待解问题", Role.VIEWER, ("/messages",)),
    ("/entries", "知识库", Role.VIEWER, ("/drafts", "/signing", "/corrections")),
    ("/statutes", "法规库", Role.VIEWER, ()),
    ("/trial", "试问", Role.VIEWER, ()),
    ("/reports", "统计", Role.VIEWER, ()),
    ("/settings", "设置", Role.CURATOR, ("/staff", "/audit")),
)
ACTION_GROUPS = {
    "thresholds": "阈值",
    "staff": "人员",
    "inquiry": "提问单",
    "entry": "条目",
    "draft": "稿件",
    "correction": "更正",
    "statute": "法规",
    "test_case": "测试问句",
    "setting": "设置",
    "menu": "菜单",
    "text": "固定文案",
    "fixed_reply": "固定回复",
    "urgent_rule": "紧急规则",
    "figure": "年度数据",
    "matching": "同义词和事实",
}
ACTION_NAMES = {
    "thresholds.propose": "提出新门槛",
    "thresholds.activate": "启用门槛",
    "thresholds.discard": "放弃门槛",
    "staff.add": "添加人员",
    "staff.change": "修改权限",
    "staff.password": "重设密码",
    "staff.second_factor_on": "启用手机验证码",
    "staff.second_factor_off": "取消手机验证码",
    "staff.sign_in": "登录",
    "inquiry.answered": "答复提问",
    "inquiry.waiting": "请提问人补充",
    "inquiry.referred": "转办",
    "inquiry.declined": "不予解答",
    "inquiry.assign": "指派",
    "inquiry.urgent": "标为紧急",
    "inquiry.callback": "查看回拨号码",
    "inquiry.asker": "查看提问人标识",
    "inquiry.note": "写备注",
    "inquiry.merge": "并入另一提问单",
    "inquiry.separate": "移出同类问题",
    "inquiry.entry": "确认为已有条目",
    "entry.variants": "增加相似问法",
    "entry.archive": "下线条目",
    "entry.sign": "签署条目",
    "entry.rereview": "复审完毕",
    "statute.import": "导入法规",
    "draft.begin": "起草",
    "draft.save": "改稿",
    "draft.submit": "提交审核",
    "draft.take_back": "退回修改",
    "draft.review": "审核通过",
    "draft.publish": "发布",
    "draft.discard": "放弃稿件",
    "draft.comment": "留言",
    "correction.propose": "起草更正",
    "correction.reword": "改更正",
    "correction.withdraw": "撤回更正",
    "correction.send": "确认并发出更正",
    "correction.resume": "继续发送更正",
    "test_case.keep": "存测试问句",
    "test_case.remove": "删测试问句",
    "menu.save": "保存菜单草稿",
    "menu.publish": "发布菜单",
    "menu.delete": "删除菜单",
    "setting.save": "修改设置",
    "text.save": "改固定文案",
    "text.restore": "恢复出厂文案",
    "fixed_reply.add": "新增固定回复",
    "fixed_reply.change": "改固定回复",
    "fixed_reply.remove": "删固定回复",
    "urgent_rule.add": "新增紧急规则",
    "urgent_rule.change": "改紧急规则",
    "urgent_rule.move": "调整紧急规则的顺序",
    "urgent_rule.remove": "删紧急规则",
    "figure.change": "改年度数据",
    "matching.add": "新增同义词或事实",
    "matching.change": "改同义词或事实",
    "matching.remove": "删同义词或事实",
}
# What a record is about begins with the table's word, for programs; people read these.
SUBJECT_NAMES = {
    "staff": "人员",
    "inquiry": "提问单",
    "entry": "条目",
    "statute": "法规",
    "test_case": "测试问句",
    "setting": "设置",
    "text": "固定文案",
    "fixed_reply": "固定回复",
    "urgent_rule": "紧急规则",
    "figure": "年度数据",
    "weights": "门槛",
    "lexicon": "同义词",
    "outside": "不归我们的事",
    "axes": "对立事实",
    "facts": "关键事实",
    "menu": "菜单",
    "alerts": "人员提醒",
    "reply_promise": "答复时限",
    "lapsed_sign_offs": "律师签署",
    "examples": "示例问题",
    "correction": "更正",
}
FIELD_NAMES = {
    "trained.labor": "劳动用工（平时）",
    "trained.company": "公司事务（平时）",
    "trained.business": "营商环境（平时）",
    "trained.clarify": "请提问人确认（平时）",
    "lookup.labor": "劳动用工（训练时）",
    "lookup.company": "公司事务（训练时）",
    "lookup.business": "营商环境（训练时）",
    "lookup.clarify": "请提问人确认（训练时）",
    "working_days": "几个工作日",
    "examples": "示例问题",
    "email_host": "邮件服务器",
    "email_port": "端口",
    "email_security": "加密",
    "email_user": "用户名",
    "email_sender": "发件人",
    "email_recipients": "收件人",
    "robot": "群机器人",
    "daily_hour": "每日清单（点）",
    "menu": "菜单",
    "role": "权限",
    "is_active": "可登录",
    "second_factor": "手机验证码",
    "status": "状态",
    "assignee": "办理人",
    "urgent": "紧急",
    "reply": "答复编号",
    "into": "并入",
    "title": "标题",
    "topic": "主题",
    "question": "问题",
    "answer": "答复",
    "citations": "依据",
    "variants": "相似问法",
    "key_terms": "关键词",
    "related": "相关条目",
    "audience": "对象",
    "referral": "转介热线",
    "checked_on": "核对日期",
    "review_by": "复核期限",
    "valid_from": "生效日期",
    "valid_until": "失效日期",
    "later": "以后的文本",
    "number": "稿次",
    "comment": "意见",
    "versions": "版本",
    "recipients": "发给人数",
    "unreachable": "联系不上人数",
    "reason": "原因",
    "signed_off_by": "签署人",
    "entry": "条目",
    "text": "文字",
    "keywords": "关键词",
    "link": "链接",
    "name": "名称",
    "patterns": "怎样认出",
    "position": "第几条",
    "exceptions": "例外",
    "value": "数值",
    "unit": "单位",
    "effective": "起始日期",
    "source": "来源",
    "ask": "向谁查询",
    "concept": "概念",
    "words": "说法",
    "axis": "对立事实",
    "values": "各种情形",
    "options": "选项",
}
AUDIENCE_NAMES = {"employee": "劳动者", "employer": "用人单位", "founder": "创业者"}
LOGGED_NAMES = {"answered": "直接答复", "clarified": "请提问人确认", "unresolved": "转人工"}

_ROLE_WORDS = {str(role): name for role, name in ROLE_NAMES.items()}
STATUS_NAMES = {
    "new": "新",
    "assigned": "办理中",
    "waiting": "等提问人补充",
    "answered": "已答复",
    "merged": "已合并",
    "declined": "不予解答",
    "referred": "已转办",
    "draft": "草稿",
    "submitted": "待审核",
    "reviewed": "已审核",
    "published": "已发布",
    "archived": "已下线",
    "discarded": "已放弃",
}
DECISION_NAMES = {"answer": "直接答复", "clarify": "请提问人确认", "unresolved": "转人工"}
CORRECTION_NAMES = {"proposed": "待确认", "sent": "已发出", "withdrawn": "已撤回"}
DELIVERY_NAMES = {"waiting": "待送达", "sending": "发送中", "unsure": "送达与否不明", "delivered": "已送达"}
REASON_NAMES = {
    "unresolved": "没有现成答复",
    "none_of_these": "选了“都不是”",
    "asked_for_person": "要求人工",
    "unhelpful": "答复没解决问题",
    "urgent": "紧急情形",
    "withheld": "条目的签署已失效，暂不直接答复",
}


def page(
    request: Request, template: str, *, status: int = 200, member: StaffMember | None = None, **values: object
) -> Response:
    """A page; `member` is who is signed in (None: nobody), whose name and sign-out stand at its head."""
    html = _TEMPLATES.get_template(template).render(
        member=member,
        token=form_token(request),
        root=request.scope.get("root_path", ""),
        here=request.url.path,
        **values,
    )
    return HTMLResponse(html, status_code=status)


def _shown(value: object) -> str:
    """A field's value in the audit log, in words, and not longer than a line or two."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(map(str, value))[:300] or "（无）"
    text = str(value)
    named = STATUS_NAMES.get(text) or _ROLE_WORDS.get(text)
    return named or (text if len(text) <= 300 else text[:300] + "…")


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _subject(words: str) -> str:
    """What a record is about in Chinese: entry x correction 3 is 条目 x 更正 3."""
    return " ".join(SUBJECT_NAMES.get(word, word) for word in words.split(" "))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["local"] = _local
_TEMPLATES.filters["shown"] = _shown
_TEMPLATES.filters["subject"] = _subject
_TEMPLATES.globals.update(
    rooms=ROOMS,
    may=may,
    role_names=ROLE_NAMES,
    status_names=STATUS_NAMES,
    domain_names=DOMAIN_NAMES,
    reason_names=REASON_NAMES,
    audience_names=AUDIENCE_NAMES,
    logged_names=LOGGED_NAMES,
    decision_names=DECISION_NAMES,
    delivery_names=DELIVERY_NAMES,
    correction_names=CORRECTION_NAMES,
    zone=SHANGHAI,
    working_days=working_days_between,
    share=share,
    action_groups=ACTION_GROUPS,
    action_names=ACTION_NAMES,
    field_names=FIELD_NAMES,
)
