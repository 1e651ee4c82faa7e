"""Pages from templates: escaped always, strict about what a template asks for."""

from datetime import datetime
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from admin.auth import form_token
from knowledge.models import StaffMember
from knowledge.working_days import SHANGHAI

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
}
DOMAIN_NAMES = {"labor": "劳动用工", "company": "公司事务", "business": "营商环境"}
REASON_NAMES = {
    "unresolved": "没有现成答复",
    "none_of_these": "选了“都不是”",
    "asked_for_person": "要求人工",
    "unhelpful": "答复没解决问题",
    "urgent": "紧急情形",
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


def _local(moment: datetime) -> str:
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["local"] = _local
_TEMPLATES.globals.update(status_names=STATUS_NAMES, domain_names=DOMAIN_NAMES, reason_names=REASON_NAMES)
