"""The API client: one token for everybody, bounded retries, and errors that say what to do."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from bot import connection
from bot.refusals import Refusals, Why
from bot.settings import Account
from bot.simulator.allowance import Trigger
from bot.simulator.api.platform import Fault, Trouble
from bot.simulator.kinds import AccountKind
from bot.wechat.client import ApiClient
from bot.wechat.errors import ApiRefused, NotReached, OutcomeUnknown, Reaction
from bot.wechat.tokens import ProcessTokens, RedisTokens
from knowledge.database import Database
from knowledge.working_days import now_utc
from tests.conftest import AES_KEY, APP_ID, TOKEN
from tests.wechat_api import SECRET, WeChat, wechat

SEND = "message/custom/send"
ACCOUNT = Account(TOKEN, APP_ID, AES_KEY, "", "safe", "k" * 40, is_simulated=False, app_secret=SECRET)


@pytest.fixture
def weixin() -> Iterator[WeChat]:
    with wechat() as found:
        yield found


def writes(weixin: WeChat, name: str = "张") -> str:
    """Somebody who may be written to."""
    user = weixin.account.user(name)
    user.allowance.grant(Trigger.MESSAGE, now_utc())
    return user.openid


def test_a_message_arrives_and_the_token_is_fetched_once(weixin: WeChat) -> None:
    client, openid = weixin.client(), writes(weixin)

    client.send_text(openid, "您好，“合同”已收到 😀")
    client.send_text(openid, "第二条")

    assert weixin.pushed_to(weixin.account.user("张")) == ["您好，“合同”已收到 😀", "第二条"]
    assert weixin.calls("stable_token") == 1


def test_many_threads_fetch_one_token(weixin: WeChat) -> None:
    client = weixin.client()
    barrier = threading.Barrier(8)

    def ask() -> str:
        barrier.wait()
        return client.token()

    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: ask(), range(8)))

    assert len(tokens) == 1
    assert weixin.calls("stable_token") == 1


def test_a_token_that_went_bad_is_renewed_once_and_the_call_made_again(weixin: WeChat) -> None:
    client, openid = weixin.client(), writes(weixin)
    client.token()
    weixin.platform.tokens.revoke()

    client.send_text(openid, "一")

    assert weixin.calls(SEND) == 2
    assert weixin.pushed_to(weixin.account.user("张")) == ["一"]


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_token_that_stays_bad_ends_in_an_error_after_one_renewal(weixin: WeChat, code: int) -> None:
    weixin.platform.switch_on(Fault(Trouble.ERROR, SEND, code))

    with pytest.raises(ApiRefused, match=str(code)):
        weixin.client().send_text(writes(weixin), "一")

    assert weixin.calls(SEND) == 2


def test_a_busy_server_is_asked_once_more(weixin: WeChat) -> None:
    weixin.platform.switch_on(Fault(Trouble.ERROR, SEND, -1, times=1))
    client = weixin.client()

    client.send_text(writes(weixin), "一")
    weixin.platform.switch_on(Fault(Trouble.ERROR, SEND, -1))
    with pytest.raises(ApiRefused) as busy:
        client.send_text(writes(weixin), "二")

    assert busy.value.is_passing
    assert weixin.calls(SEND) == 4


@pytest.mark.parametrize(
    ("code", "reaction"),
    [
        (45015, Reaction.CLOSED),
        (45047, Reaction.CLOSED),
        (48001, Reaction.STOP),
        (45009, Reaction.STOP),
        (45011, Reaction.LATER),
        (89507, Reaction.STOP),
        (45002, Reaction.NEVER),
        (99999, Reaction.NEVER),
    ],
)
def test_a_refusal_knows_what_to_do_about_it(weixin: WeChat, code: int, reaction: Reaction) -> None:
    weixin.platform.switch_on(Fault(Trouble.ERROR, SEND, code))

    with pytest.raises(ApiRefused) as refused:
        weixin.client().send_text(writes(weixin), "一")

    assert refused.value.reaction is reaction
    assert weixin.calls(SEND) == 1


@pytest.mark.parametrize("trouble", [Trouble.HTML, Trouble.EMPTY])
@pytest.mark.parametrize("after", [True, False])
def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(
    weixin: WeChat, trouble: Trouble, after: bool
) -> None:
    weixin.platform.switch_on(Fault(trouble, SEND, after=after))

    with pytest.raises(OutcomeUnknown):
        weixin.client().send_text(writes(weixin), "一")

    # Whether it was done or not, it was asked for once.
    assert len(weixin.pushed_to(weixin.account.user("张"))) == int(after)


def test_a_server_that_is_not_there_was_not_reached() -> None:
    with (
        closing(ApiClient(APP_ID, SECRET, ProcessTokens(), host="http://127.0.0.1:9")) as client,
        pytest.raises(NotReached, match="连不上微信"),
    ):
        client.send_text("o_x", "一")


def test_a_connection_cut_after_the_request_leaves_the_outcome_unknown(weixin: WeChat) -> None:
    tokens = ProcessTokens()
    weixin.client(tokens=tokens).token()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def cut() -> None:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.close()

        threading.Thread(target=cut, daemon=True).start()
        host = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with closing(ApiClient(APP_ID, SECRET, tokens, host=host)) as client, pytest.raises(OutcomeUnknown):
            client.send_text("o_x", "一")


def test_a_token_that_cannot_be_fetched_means_that_nothing_was_sent(weixin: WeChat) -> None:
    weixin.platform.switch_on(Fault(Trouble.HTML, "stable_token"))

    with pytest.raises(NotReached):
        weixin.client().send_text(writes(weixin), "一")

    assert weixin.calls(SEND) == 0


def test_a_redis_that_is_away_is_told_and_nothing_is_sent(weixin: WeChat) -> None:
    client = weixin.client(tokens=RedisTokens("redis://127.0.0.1:9/0", APP_ID))

    with pytest.raises(NotReached, match="FAWEN_REDIS_URL"):
        client.send_text("o_x", "一")


# --- the connection check ---------------------------------------------------------------------------------


def told(database: Database, client: ApiClient | None) -> dict[str, connection.Finding]:
    return {one.name: one for one in connection.check(database, ACCOUNT, client)}


def test_the_check_says_that_all_is_well(weixin: WeChat, sqlite: Database) -> None:
    findings = told(sqlite, weixin.client())

    assert findings["接口凭证"].is_right
    assert findings["主动发送"].is_right
    assert findings["自定义菜单"].is_right
    assert "还没有收到过消息" in findings["接收消息"].words


def test_the_check_names_what_is_wrong_in_plain_words(weixin: WeChat, sqlite: Database) -> None:
    assert "FAWEN_WECHAT_APP_SECRET" in told(sqlite, weixin.client(secret="wrong"))["接口凭证"].words
    assert "FAWEN_WECHAT_APP_ID" in told(sqlite, weixin.client(app_id="wxother"))["接口凭证"].words
    assert "不能主动发送" in told(sqlite, None)["接口凭证"].words


def test_the_check_shows_the_address_that_is_not_on_the_whitelist(sqlite: Database) -> None:
    with wechat(ip_whitelist=["10.9.8.7"]) as weixin:
        finding = told(sqlite, weixin.client())["接口凭证"]

    assert finding.is_right is False
    assert "白名单" in finding.words
    assert "127.0.0.1" in finding.words


def test_the_check_ends_in_time_and_says_what_it_did_not_look_at() -> None:
    go_on = threading.Event()

    def slow() -> Iterator[connection.Finding]:
        yield connection.Finding("接收消息", True, "")
        go_on.wait()

    findings = connection.within(0.1, slow())
    go_on.set()

    assert [one.name for one in findings] == ["接收消息", "检查"]
    assert "没有做完" in findings[-1].words
    assert [one.name for one in connection.within(5, slow())] == ["接收消息"]


def test_the_check_tells_a_wrong_key_from_pushes_that_were_refused(sqlite: Database) -> None:
    refusals = Refusals()
    told_of: dict[Why, str] = {}
    for why in Why:
        refusals.note(why, now_utc())
        found = {one.name: one for one in connection.check(sqlite, ACCOUNT, None, refusals=refusals)}["接收消息"]
        assert found.is_right is False
        told_of[why] = found.words

    assert "FAWEN_WECHAT_TOKEN" in told_of[Why.SIGNATURE]
    assert "时钟" in told_of[Why.STALE]
    assert "FAWEN_WECHAT_AES_KEY" in told_of[Why.UNREADABLE]
    assert "拒收3次" in told_of[Why.UNREADABLE]


def test_the_check_knows_an_account_without_permission(sqlite: Database) -> None:
    with wechat(kind=AccountKind.SUBSCRIPTION) as weixin:
        findings = told(sqlite, weixin.client())

    assert findings["接口凭证"].is_right
    assert findings["主动发送"].is_right is None
    assert "下次来信时送达" in findings["主动发送"].words
    assert "48001" in findings["自定义菜单"].words
