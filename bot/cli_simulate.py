"""`fawen simulate`: WeChat on this machine, in the terminal."""

import sys
from typing import Annotated

import typer

from bot.cli_base import usage_errors
from bot.settings import Account, BotSettings, account
from bot.simulator import terminal
from bot.simulator.account import SimulatedAccount
from bot.simulator.chaos import ChaosOptions, storm
from bot.simulator.delivery import DeliveryRules
from bot.simulator.kinds import AccountKind
from bot.simulator.sealing import Credentials
from bot.wechat.envelope import Mode


def simulate(
    url: Annotated[str, typer.Option(help="the webhook to talk to")] = "http://127.0.0.1:8000/wechat",
    openid: Annotated[str, typer.Option(help="who is talking")] = "",
    kind: Annotated[AccountKind, typer.Option(help="what kind of account is played")] = AccountKind.SUBSCRIPTION,
    attempts: Annotated[int, typer.Option(min=1, max=4, help="requests for one push in all")] = 3,
    chaos: Annotated[int, typer.Option(min=0, help="send a storm of this many pushes, odd ones among them")] = 0,
    seed: Annotated[int, typer.Option(help="which storm: the same seed, the same storm")] = 1,
) -> None:
    """Play WeChat: sign, encrypt and post to a running Fawen, and show replies as a phone does."""
    with usage_errors():
        served = account(BotSettings())
    rules = DeliveryRules(attempts=attempts)
    with SimulatedAccount(url, credentials_of(served), kind=kind, rules=rules) as simulated:
        if chaos:
            report = storm(simulated, chaos, ChaosOptions(seed=seed))
            typer.echo("\n".join([f"种子{seed}", *report.lines()]))
            raise typer.Exit(0 if report.is_clean else 1)
        terminal.chat(simulated, simulated.user("我", openid), _read, typer.echo)


def credentials_of(served: Account) -> Credentials:
    """What WeChat would know of the account that Fawen serves."""
    return Credentials(
        token=served.token,
        app_id=served.app_id,
        aes_key=served.aes_key,
        previous_aes_key=served.previous_aes_key,
        mode=Mode(served.mode),
    )


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
