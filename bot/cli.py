"""The operator's door: every `fawen` command (design.md, Command line). Exit 0 done, 1 findings, 2 usage."""

import json
import sys
from typing import Annotated

import structlog
import typer
import uvicorn
from fastapi import FastAPI
from sqlmodel import Session

from bot import cli_channel, cli_kb, cli_statutes, replies
from bot.cli_base import fail, open_database, usage_errors
from bot.cli_matching import ask, evaluate_command, fit_command
from bot.cli_report import report_command
from bot.cli_simulate import simulate
from bot.main import app_from_environment
from bot.receipts import CHANNEL
from bot.settings import BotSettings, account, trusted_proxies
from knowledge import audit, erasure, inquiries, outbox, seeding, staff
from knowledge.database import Database
from knowledge.errors import NotFound
from knowledge.migrations import migrate
from knowledge.models import Role
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="法问: 公众号法律问答", pretty_exceptions_enable=False
)
inquiries_app = typer.Typer(no_args_is_help=True, help="Questions waiting for a person.")
staff_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the workbench.")
app.add_typer(cli_kb.app, name="kb")
app.add_typer(cli_statutes.app, name="statutes")
cli_kb.app.command("impact")(cli_statutes.impact_command)
cli_kb.app.command("rereview")(cli_statutes.rereview_command)
app.add_typer(cli_channel.menu_app, name="menu")
app.add_typer(cli_channel.replies_app, name="replies")
app.command()(cli_channel.doctor)
app.add_typer(inquiries_app, name="inquiries")
app.add_typer(staff_app, name="staff")
app.command()(simulate)
app.command()(ask)
app.command("evaluate")(evaluate_command)
app.command("fit")(fit_command)
app.command("report")(report_command)

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "",
    port: Annotated[int, typer.Option(help="port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=32, help="processes that share the port")] = 1,
) -> None:
    """Start Fawen: webhook at /wechat, workbench at /admin."""
    settings, knowledge = BotSettings(), KnowledgeSettings()
    with usage_errors():
        served = account(settings)
        proxies = trusted_proxies(settings)
    if served.is_simulated and host and host not in LOOPBACK:
        fail(
            2,
            f"without WeChat settings Fawen listens on this machine only, not on {host}: set FAWEN_WECHAT_…",
        )
    database = open_database(knowledge)
    host = host or ("127.0.0.1" if served.is_simulated else "0.0.0.0")  # noqa: S104 # behind the site's proxy
    shown = f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104
    typer.echo(f"法问 Fawen  {shown}")
    typer.echo(f"  webhook    {shown}/wechat")
    typer.echo(f"  workbench  {shown}/admin")
    if served.is_simulated:
        hint = _port_hint(port)
        typer.echo(f"  no WeChat account is set: talk to Fawen with   fawen simulate{hint}")
        typer.echo(f"  or on a page that looks like WeChat:           fawen simulate --web{hint}")
    with database.reading() as session:
        if not staff.any_administrator(session):
            typer.echo("  first administrator:                           fawen staff add NAME --role administrator")
    # Each process opens its own connections; the keys and the schema are there by now.
    database.dispose()
    uvicorn.run(
        "bot.cli:logged_app",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        # Building the index keeps a process busy for seconds; uvicorn would kill one that is silent for 5.
        timeout_worker_healthcheck=60,
        # Longer than a web server before it keeps an idle connection (nginx: 60), or the two meet in closing it.
        timeout_keep_alive=75,
        log_level="warning",
        proxy_headers=True,
        forwarded_allow_ips=proxies,
    )


def logged_app() -> FastAPI:
    """The application of one process, with its log on standard error."""
    _log_to_stderr()
    return app_from_environment()


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database's schema up to date and load the shipped FAQ's new entries."""
    database = Database(KnowledgeSettings().url)
    migrate(database)
    with database.writing() as session:
        loaded = seeding.seed(session, now_utc())
    typer.echo(f"schema up to date; {loaded.added} entries added, {loaded.kept} were there")


@inquiries_app.command("list")
def inquiries_list(
    everything: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """List the open inquiries, first to be answered first."""
    with open_database(KnowledgeSettings()).reading() as session:
        found = inquiries.latest(session, 500) if everything else inquiries.waiting(session, 500)
    for inquiry in found:
        if as_json:
            row = {
                "number": inquiry.number,
                "status": inquiry.status,
                "due_on": inquiry.due_on.isoformat(),
                "urgent": inquiry.urgent,
                "question": inquiry.question,
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
        else:
            question = " ".join((inquiry.question or "（已清除）").split())[:60]
            mark = "〔紧急〕" if inquiry.urgent else ""
            typer.echo(f"{inquiry.number}  {inquiry.status:<9} 期限{inquiry.due_on}  {mark}{question}")
    if not found and not as_json:
        typer.echo("没有待办的提问单")


@inquiries_app.command("show")
def inquiries_show(number: str) -> None:
    """Show one inquiry with its messages and replies."""
    with open_database(KnowledgeSettings()).reading() as session, usage_errors():
        inquiry = inquiries.by_number(session, number)
        typer.echo(f"{inquiry.number}  {inquiry.status}  期限{inquiry.due_on}\n{inquiry.question or '（已清除）'}")
        for message in inquiries.messages_of(session, inquiry):
            for candidate in message.candidates[:3]:
                typer.echo(f"  近似条目 {candidate['id']}  {candidate['score']}")
        for written in inquiries.replies_to(session, inquiry):
            state = "已送达" if inquiries.is_delivered(session, written) else "待送达"
            typer.echo(f"{written.author}（{state}）：{written.text or '（已清除）'}")


@inquiries_app.command("answer")
def inquiries_answer(
    number: str,
    text: Annotated[str, typer.Argument(help="the reply; - reads it from standard input")],
    author: Annotated[str, typer.Option(help="who answers")] = "工作人员",
) -> None:
    """Answer an inquiry: pushed while that is allowed, otherwise received at the asker's next message."""
    words = sys.stdin.read() if text == "-" else text
    with usage_errors(), open_database(KnowledgeSettings()).writing() as session:
        has_secret = bool(account(BotSettings()).app_secret)
        inquiries.reply(session, number, author, words, now_utc())
        way = _way_to_asker(session, number, has_secret=has_secret)
    typer.echo(f"已答复 {number}：{way}")


def _way_to_asker(session: Session, number: str, *, has_secret: bool) -> str:
    """How a reply that was just written will reach its asker. A worker of the running server pushes, not we."""
    if not has_secret:
        return "没有设置 FAWEN_WECHAT_APP_SECRET，不能推送，提问人下次发消息时送达"
    asker_id, now = inquiries.by_number(session, number).asker_id, now_utc()
    parts = replies.due_parts(outbox.due(session, asker_id, now)[-1])
    if len(parts) > outbox.sends_left(session, asker_id, now):
        return "提问人近48小时没有来信，或可主动发送的条数不够，下次发消息时送达"
    return "服务运行时随即推送；微信不允许推送的（如未认证的公众号），提问人下次发消息时送达"


@staff_app.command("add")
def staff_add(
    name: str,
    role: Annotated[Role, typer.Option(help="what they may do")] = Role.CURATOR,
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)] = "",
) -> None:
    """Add a member of staff."""
    with usage_errors(), open_database(KnowledgeSettings()).writing() as session:
        staff.add(session, name, password, role, now_utc())
    typer.echo(f"{name} 可以登录了（{role}）")


@staff_app.command("password")
def staff_password(
    name: str,
    password: Annotated[str, typer.Option(prompt=True, confirmation_prompt=True, hide_input=True)] = "",
) -> None:
    """Set a member's password; every session of theirs ends."""
    with usage_errors(), open_database(KnowledgeSettings()).writing() as session:
        staff.set_password(session, name, password, now_utc())
    typer.echo(f"{name} 的密码已更新")


@staff_app.command("second-factor-off")
def staff_second_factor_off(name: str) -> None:
    """Let a member sign in with the password alone: a lost phone, or a FAWEN_SECRET_KEY that was changed."""
    with usage_errors(), open_database(KnowledgeSettings()).writing() as session:
        member = staff.named(session, name)
        if member is None:
            raise NotFound(f"没有名为{name}的人员")
        staff.remove_second_factor(session, member, audit.COMMAND_LINE, now_utc())
    typer.echo(f"{name} 的手机验证码已取消")


@app.command("erase")
def erase_command(openid: str) -> None:
    """Erase a person: openid, texts of messages, replies and inquiries, and unsent replies."""
    with usage_errors(), open_database(KnowledgeSettings()).writing() as session:
        erasure.erase(session, erasure.asker_at(session, CHANNEL, openid))
    typer.echo("已清除")


def _port_hint(port: int) -> str:
    return "" if port == 8000 else f" --url http://127.0.0.1:{port}/wechat"


def _log_to_stderr() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer()
            if sys.stderr.isatty()
            else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


if __name__ == "__main__":
    app()
