"""设置: what staff set, as one list of pages, each with a line on what it is for."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from admin.auth import Curator, may
from admin.rendering import page
from knowledge.models import Role

router = APIRouter()


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """A page of 设置: where it is, what it is called, what it is for in one line, and who may open it."""

    path: str
    name: str
    line: str
    least: Role


# In the order of the hub page: heading, and the pages under it. A page of its own adds its line here.
GROUPS: tuple[tuple[str, tuple[SettingsPage, ...]], ...] = (
    (
        "公众号说什么",
        (
            SettingsPage("/settings/texts", "固定文案", "欢迎语、帮助、登记和进度等固定的话", Role.ADMINISTRATOR),
            SettingsPage("/settings/examples", "示例问题", "欢迎语和帮助里点一下即问的三个问题", Role.ADMINISTRATOR),
            SettingsPage(
                "/settings/fixed-replies", "固定回复", "整条来信就是关键词时给出的内容，如地址、电话", Role.CURATOR
            ),
            SettingsPage("/settings/urgent-rules", "紧急规则", "认出紧急来信，先说该拨的号码", Role.ADMINISTRATOR),
            SettingsPage(
                "/settings/sign-offs", "律师签署", "法规修改、签署失效后，照常答复还是转人工", Role.ADMINISTRATOR
            ),
        ),
    ),
    (
        "怎样听懂，数字依据什么",
        (
            SettingsPage("/settings/matching/lexicon", "同义词", "日常说法归到概念，换一种说法也认得出", Role.CURATOR),
            SettingsPage("/settings/matching/axes", "对立事实", "说反了答案就错的事实，及各种说法", Role.CURATOR),
            SettingsPage(
                "/settings/thresholds", "阈值", "多有把握才直接答复；先看会怎样，再投入使用", Role.ADMINISTRATOR
            ),
            SettingsPage("/settings/matching/facts", "关键事实", "几个条目相近时，先问哪一个事实", Role.CURATOR),
            SettingsPage(
                "/settings/figures", "年度数据", "最低工资等每年调整的数字：数值、来源、核对日期", Role.ADMINISTRATOR
            ),
        ),
    ),
    (
        "微信",
        (
            SettingsPage("/settings/connection", "微信连接", "检查与微信的连接，说出哪里不对", Role.ADMINISTRATOR),
            SettingsPage("/settings/menu", "菜单", "编辑公众号底部的菜单，比较后发布", Role.ADMINISTRATOR),
        ),
    ),
    (
        "人员和记录",
        (
            SettingsPage("/settings/promise", "答复时限", "承诺几个工作日内答复", Role.ADMINISTRATOR),
            SettingsPage("/settings/alerts", "人员提醒", "用邮件或企业微信群提醒紧急和待解的提问", Role.ADMINISTRATOR),
            SettingsPage("/staff", "人员", "谁可以登录，各有什么权限；重设密码和手机验证码", Role.ADMINISTRATOR),
            SettingsPage("/audit", "操作记录", "谁在什么时候改了什么，改前改后各是什么", Role.ADMINISTRATOR),
        ),
    ),
)


@router.get("/settings")
def show_settings(request: Request, member: Curator) -> Response:
    """The pages a member may open, under their headings; a heading without any is left out."""
    groups = [(name, [one for one in pages if may(member, one.least)]) for name, pages in GROUPS]
    return page(request, "settings/hub.html", member=member, groups=[(name, pages) for name, pages in groups if pages])
