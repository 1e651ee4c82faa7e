"""The account's side of the command line: menu, fixed replies, and what is wrong with the connection."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from bot import connection, menu
from bot.cli_base import fail, open_database, usage_errors
from bot.main import api_client
from bot.settings import BotSettings, account
from bot.wechat.client import ApiClient
from bot.wechat.errors import CallError
from knowledge import curation, fixed_replies
from knowledge.content.spreadsheets import read_fixed_reply_rows
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc

menu_app = typer.Typer(no_args_is_help=True, help="The account's menu (服务号, and verified 公众号).")
replies_app = typer.Typer(no_args_is_help=True, help="Fixed replies: exact keywords that get a text or a link.")

Result = TypeVar("Result")
MenuFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="the menu, YAML")]


@menu_app.command("show")
def menu_show() -> None:
    """Print the published menu in the form of the file."""
    with _client() as client:
        buttons = _called(client.menu)
    typer.echo(menu.as_text(buttons).rstrip() if buttons else "# 还没有菜单")


@menu_app.command("diff")
def menu_diff(file: MenuFile) -> None:
    """Show what publishing the file would change; exit 1 where it would change something."""
    with usage_errors():
        wanted = menu.read_menu(file)
    with _client() as client:
        changed = _called(lambda: menu.differences(client, wanted))
    typer.echo("\n".join(changed) if changed else "与已发布的菜单相同")
    raise typer.Exit(1 if changed else 0)


@menu_app.command("publish")
def menu_publish(file: MenuFile) -> None:
    """Check the file and put its menu in place of the published one; phones show it within five minutes."""
    with usage_errors():
        wanted = menu.read_menu(file)
    with _client() as client:
        _called(lambda: client.publish_menu(wanted))
    typer.echo("菜单已发布，手机上约5分钟后更新（取消关注再关注可立即看到）")


@menu_app.command("delete")
def menu_delete(
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Take the menu away."""
    with _client() as client:
        if not yes:
            typer.confirm("删除公众号的自定义菜单？", abort=True)
        _called(client.delete_menu)
    typer.echo("菜单已删除")


@replies_app.command("list")
def replies_list() -> None:
    """List the fixed replies."""
    with open_database(KnowledgeSettings()).reading() as session:
        found = fixed_replies.everything(session)
    for reply in found:
        shown = " ".join(reply.text.split())[:60]
        typer.echo(f"{reply.id}  {'、'.join(reply.keywords)}  →  {shown}{'  ' + reply.link if reply.link else ''}")
    if not found:
        typer.echo("还没有固定回复")


@replies_app.command("import")
def replies_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="XLSX: 关键词、回复内容、链接")],
) -> None:
    """Add the fixed replies of a spreadsheet: all of its rows, or none where one is not right (exit 1)."""
    with usage_errors():
        rows = read_fixed_reply_rows(file)
    database = open_database(KnowledgeSettings())
    with usage_errors(), database.writing() as session:
        problems = fixed_replies.add_rows(session, rows, now_utc())
    if problems:
        fail(1, "\n".join(["没有导入，请改正后再试：", *problems]))
    typer.echo(f"已导入{len(rows)}条固定回复，运行中的服务几秒内生效")


def doctor(
    url: Annotated[str, typer.Option(help="the webhook as WeChat calls it, https://…/wechat")] = "",
) -> None:
    """Say in plain words what works between Fawen and WeChat, and what is wrong; exit 1 where something is."""
    settings, knowledge = BotSettings(), KnowledgeSettings()
    with usage_errors():
        served = account(settings)
    database = open_database(knowledge)
    if not url and settings.base_url:
        url = f"{settings.base_url.rstrip('/')}/wechat"
    client = api_client(served, settings)
    with database.reading() as session:
        entries = curation.count(session)
    findings = [
        connection.Finding("数据库", True, f"可用，{entries}个条目"),
        *connection.check(database, served, client, public_url=url),
    ]
    if client:
        client.close()
    for finding in findings:
        mark = {True: "正常", False: "有误", None: "提示"}[finding.is_right]
        typer.echo(f"[{mark}] {finding.name}：{finding.words}")
    raise typer.Exit(1 if any(finding.is_right is False for finding in findings) else 0)


@contextmanager
def _client() -> Iterator[ApiClient]:
    settings = BotSettings()
    with usage_errors():
        client = api_client(account(settings), settings)
    if client is None:
        fail(2, "没有设置 FAWEN_WECHAT_APP_SECRET：请从公众平台“基本配置”复制 AppSecret 填入 .env")
    with closing(client):
        yield client


def _called(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except CallError as error:
        fail(1, str(error))
