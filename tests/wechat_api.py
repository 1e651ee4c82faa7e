"""WeChat on both sides for a test: phones that push to a webhook, and the API server that refuses as the real one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import FastAPI

from bot.simulator.account import Side, SimulatedAccount, SimulatedUser
from bot.simulator.api.app import api_router
from bot.simulator.api.platform import Platform
from bot.simulator.kinds import AccountKind
from bot.simulator.sealing import Credentials
from bot.simulator.serving import serving
from bot.wechat.client import ApiClient
from bot.wechat.envelope import Mode
from bot.wechat.tokens import ProcessTokens, TokenStore
from knowledge.working_days import now_utc
from tests.conftest import AES_KEY, APP_ID, TOKEN

SECRET = "secret_for_tests"


@dataclass
class WeChat:
    """The account with its phones, the API's state, and the API's address."""

    account: SimulatedAccount
    platform: Platform
    host: str
    clients: list[ApiClient] = field(default_factory=list)

    def client(self, *, app_id: str = APP_ID, secret: str = SECRET, tokens: TokenStore | None = None) -> ApiClient:
        """A client of this API, by default with the right credentials."""
        self.clients.append(ApiClient(app_id, secret, tokens or ProcessTokens(), host=self.host))
        return self.clients[-1]

    def pushed_to(self, user: SimulatedUser) -> list[str]:
        """What arrived on a phone by customer-service message."""
        return [one.text for one in self.account.bubbles(user.openid) if one.side is Side.PUSHED]

    def calls(self, path: str) -> int:
        """How often a path was called."""
        return sum(call.path == path for call in self.platform.calls)


@contextmanager
def wechat(
    webhook: str = "http://127.0.0.1:9",
    kind: AccountKind = AccountKind.VERIFIED_SERVICE,
    now: Callable[[], datetime] = now_utc,
    **options: list[str],
) -> Iterator[WeChat]:
    """WeChat for the length of a block; `options` are those of `Platform`."""
    credentials = Credentials(TOKEN, APP_ID, AES_KEY, Mode.SAFE, app_secret=SECRET)
    account = SimulatedAccount(webhook, credentials, kind=kind, now=now)
    platform = Platform(account, **options)
    app = FastAPI(openapi_url=None)
    app.include_router(api_router(platform))
    with account, serving(app) as host:
        found = WeChat(account, platform, host)
        yield found
        for client in found.clients:
            client.close()
