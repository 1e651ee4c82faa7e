"""`fawen simulate`: WeChat on this machine, in the terminal, on a page, in scripts, as storms."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

import typer
from fastapi import FastAPI

from bot.cli_base import fail, usage_errors
from bot.settings import Account, BotSettings, account
from bot.simulator import scenario, terminal
from bot.simulator.account import SimulatedAccount
from bot.simulator.api.app import api_router
from bot.simulator.api.platform import Platform
from bot.simulator.chaos import chaos_names, mixed, storm
from bot.simulator.delivery import DeliveryRules
from bot.simulator.kinds import AccountKind
from bot.simulator.sealing import Credentials
from bot.simulator.serving import LOOPBACK, PortTaken, serving
from bot.simulator.web.app import create_page
from bot.wechat.envelope import Mode

PORT = 8001


def simulate(
    url: Annotated[str, typer.Option(help="the webhook to talk to")] = "http://127.0.0.1:8000/wechat",
    openid: Annotated[str, typer.Option(help="who is talking in the terminal")] = "",
    scripts: Annotated[
        list[str] | None,
        typer.Option("--scenario", help="play a script: a YAML file, a folder, the name of a shipped one, or all"),
    ] = None,
    web: Annotated[bool, typer.Option("--web", help="a page that looks like a chat on the phone")] = False,
    chaos: Annotated[int, typer.Option(min=0, help="send a storm of this many pushes, odd ones among them")] = 0,
    seed: Annotated[int, typer.Option(help="which storm: the same seed, the same storm")] = 1,
    kind: Annotated[AccountKind, typer.Option(help="what kind of account is played")] = AccountKind.SUBSCRIPTION,
    mix: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help=f"what the storm is made of: {', '.join(chaos_names())}"),
    ] = None,
    attempts: Annotated[int, typer.Option(min=1, max=4, help="requests for one push in all")] = 3,
    overlap: Annotated[bool, typer.Option("--overlap", help="repeats set out while the first still runs")] = False,
    same_signature: Annotated[
        bool, typer.Option("--same-signature", help="repeats keep timestamp, nonce and signature")
    ] = False,
    skew: Annotated[int, typer.Option(metavar="SECONDS", help="WeChat's clock less ours")] = 0,
    mark_fail: Annotated[
        int, typer.Option(min=0, help="failed requests in a minute that stop all pushes for a minute; 0: never")
    ] = 20,
    api: Annotated[bool, typer.Option("--api", help="serve the fake WeChat API beside the chat")] = False,
    port: Annotated[int, typer.Option(help="where the page and the fake API listen on this machine")] = PORT,
) -> None:
    """Play WeChat: sign, encrypt and post to a running Fawen, and show replies as a phone does."""
    with usage_errors():
        served = account(BotSettings())
        wanted = [scenario.read(path) for given in scripts or [] for path in scenario.find(given)]
        options = mixed(seed, mix or [])
    credentials = credentials_of(served)
    rules = DeliveryRules(
        attempts=attempts,
        repeats_sign_anew=not same_signature,
        repeats_overlap=overlap,
        mark_fail_after=mark_fail or None,
        clock_skew_s=skew,
    )
    if wanted:
        _play(wanted, url, credentials, kind, rules, port if api else None)
        return
    if web:
        _serve_page(url, credentials, kind, rules, port)
        return
    with _opened(url, credentials, kind, rules, port if api else None) as simulated:
        if chaos:
            report = storm(simulated, chaos, options)
            typer.echo("\n".join([f"种子{seed}", *report.lines()]))
            raise typer.Exit(0 if report.is_clean else 1)
        terminal.chat(simulated, simulated.user("我", openid), _read, typer.echo)


def credentials_of(served: Account) -> Credentials:
    """What WeChat would know of the account that Fawen serves; a made-up account's secret is its token."""
    return Credentials(
        token=served.token,
        app_id=served.app_id,
        aes_key=served.aes_key,
        previous_aes_key=served.previous_aes_key,
        app_secret=served.app_secret or (served.token if served.is_simulated else ""),
        mode=Mode(served.mode),
    )


def _play(
    wanted: list[scenario.Scenario],
    url: str,
    credentials: Credentials,
    kind: AccountKind,
    rules: DeliveryRules,
    api_port: int | None,
) -> None:
    failed = 0
    for script in wanted:
        with _opened(url, credentials, script.kind or kind, rules, api_port) as simulated:
            report = scenario.play(script, simulated)
        typer.echo("\n".join(report.lines()))
        failed += bool(report.failed)
    if len(wanted) > 1:
        typer.echo(f"{len(wanted)}个场景，失败{failed}个")
    raise typer.Exit(1 if failed else 0)


def _serve_page(url: str, credentials: Credentials, kind: AccountKind, rules: DeliveryRules, port: int) -> None:
    """The page and the API until Ctrl-C; on this machine only, for whoever reaches it plays WeChat."""
    with SimulatedAccount(url, credentials, kind=kind, rules=rules) as simulated:
        for name in ("张三", "李四"):
            simulated.user(name)
        address = f"http://{LOOPBACK}:{port}"
        with _port_taken(), serving(create_page(Platform(simulated)), port, before_end=simulated.end_waits):
            typer.echo(f"微信模拟页面（{kind.label}）：{address}")
            typer.echo(f"  推送到   {url}\n  微信接口 FAWEN_WECHAT_API={address}\n  按Ctrl-C结束")
            with suppress(KeyboardInterrupt):
                threading.Event().wait()


@contextmanager
def _opened(
    url: str, credentials: Credentials, kind: AccountKind, rules: DeliveryRules, api_port: int | None
) -> Iterator[SimulatedAccount]:
    """The account, with its API served where a port is given."""
    with SimulatedAccount(url, credentials, kind=kind, rules=rules) as simulated:
        if api_port is None:
            yield simulated
            return
        app = FastAPI(openapi_url=None)
        app.include_router(api_router(Platform(simulated)))
        with _port_taken(), serving(app, api_port) as address:
            typer.echo(f"假的微信接口：FAWEN_WECHAT_API={address}", err=True)
            yield simulated


@contextmanager
def _port_taken() -> Iterator[None]:
    try:
        yield
    except PortTaken as error:
        fail(2, f"{error}; choose another with --port")


def _read(prompt: str) -> str | None:
    if sys.stdin.isatty():
        try:
            return input(prompt)
        except EOFError:
            return None
    line = sys.stdin.readline()
    if not line:
        return None
    typer.echo(f"{prompt}{line.rstrip()}")
    return line.rstrip("\n")
