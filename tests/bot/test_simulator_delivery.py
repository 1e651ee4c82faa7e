"""WeChat's side of the wire: what is pushed, how often, and which answers it takes. WeRoBot's crypto is the peer."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werobot.crypto import MessageCrypt
from werobot.utils import get_signature

from bot.simulator import pushes
from bot.simulator.account import SimulatedAccount, openid_of
from bot.simulator.allowance import Allowance, Trigger, trigger_of
from bot.simulator.chaos import ODD_PUSHES
from bot.simulator.delivery import DeliveryRules, Oddities
from bot.simulator.kinds import AccountKind
from bot.simulator.sealing import Credentials, seal
from bot.simulator.verdicts import judge
from bot.wechat.envelope import Mode
from tests.conftest import AES_KEY, APP_ID, TOKEN
from tests.wechat_user import WeChatPeer

OLD_KEY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
CLEAN = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=200)


def credentials(mode: str = "safe", key: str = AES_KEY) -> Credentials:
    return Credentials(TOKEN, APP_ID, key, Mode(mode), previous_aes_key=OLD_KEY)


def account(url: str, mode: str = "plain", **rules: Any) -> SimulatedAccount:
    return SimulatedAccount(url, credentials(mode), rules=DeliveryRules(**rules))


def crypt(key: str = AES_KEY) -> MessageCrypt:
    return MessageCrypt(token=TOKEN, encoding_aes_key=key, app_id=APP_ID)


@pytest.mark.parametrize("mode", ["compat", "safe"])
@settings(max_examples=40)
@given(content=CLEAN)
def test_the_peer_opens_what_the_simulator_seals(mode: str, content: str) -> None:
    xml = pushes.render({"FromUserName": "o_x", "Content": content})
    sealed = seal(credentials(mode), "o_x", xml, stamp="1795485600", nonce="42")

    query, outside = sealed.query, ET.fromstring(sealed.body)
    cipher = outside.findtext("Encrypt") or ""
    clear = crypt().decrypt_message("1795485600", "42", query["msg_signature"], cipher)
    assert ET.fromstring(clear).findtext("Content") == content
    assert query["signature"] == get_signature(TOKEN, "1795485600", "42")
    assert (outside.findtext("Content") is not None) == (mode == "compat")


@settings(max_examples=40)
@given(content=CLEAN.filter(lambda text: text.strip()))
def test_the_simulator_takes_what_the_peer_seals(content: str) -> None:
    xml = pushes.render(
        {"ToUserName": "o_x", "FromUserName": "gh_simulated", "CreateTime": 1, "MsgType": "text", "Content": content}
    )
    answer = crypt().encrypt_message(xml, timestamp="1795485600", nonce="42").encode()

    verdict = judge(credentials(), credentials().key_bytes(), "o_x", pushes.text("问"), status=200, answer=answer)

    assert verdict.fault is None
    assert verdict.reply
    assert verdict.reply.text == content.strip()


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
@pytest.mark.parametrize("body", ODD_PUSHES, ids=lambda body: body.kind)
def test_every_push_is_xml_with_the_common_fields(mode: str, body: pushes.PushBody) -> None:
    with account("http://127.0.0.1:9", mode) as opened:
        root = ET.fromstring(opened.named("o_x", body))

    assert root.tag == "xml"
    assert [root.findtext(name) for name in ("ToUserName", "FromUserName")] == ["gh_simulated", "o_x"]
    assert (root.findtext("CreateTime") or "").isdecimal()
    assert (root.find("MsgId") is None) == body.is_event


def test_hostile_clear_fields_differ_from_the_encrypted_ones() -> None:
    xml = pushes.render({"FromUserName": "o_x", "Content": "真"})
    sealed = seal(credentials("compat"), "o_x", xml, stamp="1", nonce="2", hostile=True)

    outside = ET.fromstring(sealed.body)
    assert outside.findtext("FromUserName") == "o_forged_victim"
    assert outside.findtext("Content") == "forged words"
    inside = crypt().decrypt_message("1", "2", sealed.query["msg_signature"], outside.findtext("Encrypt"))
    assert ET.fromstring(inside).findtext("Content") == "真"


def test_a_push_may_still_come_under_the_key_before_the_rotation() -> None:
    sealed = seal(credentials(), "o_x", "<xml>x</xml>", stamp="1", nonce="2", previous_key=True)
    cipher = ET.fromstring(sealed.body).findtext("Encrypt")

    assert crypt(OLD_KEY).decrypt_message("1", "2", sealed.query["msg_signature"], cipher) in (
        "<xml>x</xml>",
        b"<xml>x</xml>",
    )


# What WeChat makes of an answer.


def reply(to: str = "o_x", sender: str = "gh_simulated", kind: str = "text", inner: str | None = None) -> bytes:
    content = "<Content>答</Content>" if inner is None else inner
    return (
        f"<xml><ToUserName>{to}</ToUserName><FromUserName>{sender}</FromUserName>"
        f"<CreateTime>1795485600</CreateTime><MsgType>{kind}</MsgType>{content}</xml>"
    ).encode()


def news(count: int, said: int | None = None) -> bytes:
    items = "".join(f"<item><Title>第{n}篇</Title><Url>https://example.cn/{n}</Url></item>" for n in range(count))
    return reply(kind="news", inner=f"<ArticleCount>{said or count}</ArticleCount><Articles>{items}</Articles>")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (b"", None),
        (b"success", None),
        (b"SUCCESS", "格式"),
        (b"success\n", "格式"),
        (b"<html>Error 500</html>", "格式"),
        (b"{}", "格式"),
        ("<xml>文</xml>".encode("gbk"), "格式"),
        (b"<xml>words</xml>", "没有字段"),
        (reply(), None),
        (reply(inner=f"<Content>{'长' * 682}ab</Content>"), None),
        (reply(inner=f"<Content>{'长' * 682}abc</Content>"), "2049字节"),
        (reply(inner="<Content></Content>"), "空的"),
        (reply(inner="<Content>一</Content><Content>二</Content>"), "Content重复"),
        (reply(to="gh_simulated", sender="o_x"), "收发双方"),
        (reply(to="o_other"), "收发双方"),
        (reply(kind="evil"), "'evil'微信不认识"),
        (reply().replace(b"1795485600", b"soon"), "CreateTime"),
        (reply(kind="image", inner="<Image><MediaId>m</MediaId></Image>"), None),
        (reply(kind="voice", inner=""), "MediaId"),
        (reply(kind="transfer_customer_service", inner=""), None),
        (news(1), None),
        (news(2, said=3), "ArticleCount"),
        (reply(kind="news", inner="<ArticleCount>0</ArticleCount>"), "item"),
    ],
)
def test_answers_are_judged_as_wechat_would(answer: bytes, fault: str | None) -> None:
    verdict = judge(credentials("plain"), None, "o_x", pushes.text("问"), status=200, answer=answer)

    assert (verdict.fault is None) == (fault is None), verdict.fault
    assert fault is None or fault in (verdict.fault or "")


def test_extra_articles_are_dropped_and_an_event_may_have_eight() -> None:
    def shown(body: pushes.PushBody) -> int:
        verdict = judge(credentials("plain"), None, "o_x", body, status=200, answer=news(10))
        assert verdict.reply
        return len(verdict.reply.articles)

    assert shown(pushes.text("问")) == 1
    assert shown(pushes.click("K")) == 8


def test_nothing_shows_to_somebody_who_left() -> None:
    verdict = judge(credentials("plain"), None, "o_x", pushes.unsubscribe(), status=200, answer=reply())

    assert (verdict.reply, verdict.fault) == (None, None)


def test_a_reply_in_safe_mode_is_encrypted_signed_and_under_the_pushs_key() -> None:
    def fault(answer: bytes, mode: str = "safe", key: str = AES_KEY) -> str | None:
        pushed = credentials(mode, key)
        verdict = judge(pushed, pushed.key_bytes(), "o_x", pushes.text("问"), status=200, answer=answer)
        return verdict.fault

    sealed = crypt().encrypt_message(reply().decode(), timestamp="1", nonce="2").encode()
    assert fault(sealed) is None
    assert fault(reply()) == "安全模式下回复没有加密"
    assert fault(reply(), mode="compat") is None
    assert fault(sealed.replace(b"<Nonce>", b"<Nonce>9").replace(b"CDATA[2", b"CDATA[92")) == "回复的签名不对"
    assert "解不开密" in (fault(sealed, key=OLD_KEY) or "")
    other = MessageCrypt(token=TOKEN, encoding_aes_key=AES_KEY, app_id="wx_other")
    assert "AppID" in (fault(other.encrypt_message(reply().decode(), timestamp="1", nonce="2").encode()) or "")
    clear = judge(credentials("plain"), None, "o_x", pushes.text("问"), status=200, answer=sealed)
    assert clear.fault == "明文推送的回复加了密"


# How often, and how long.


def test_a_push_without_a_good_answer_is_repeated_until_it_has_one() -> None:
    with (
        answering(lambda count: (200, b"success") if count == 3 else (500, b"")) as (url, seen),
        account(url) as opened,
    ):
        assert opened.user("张").says("你好").fault is None
    assert len(seen) == 3
    assert len({one["body"] for one in seen}) == 1

    for attempts in (3, 4):
        with answering(lambda _: (500, b"")) as (url, seen), account(url, attempts=attempts) as opened:
            assert opened.user("张").says("你好").fault == "状态码500"
        assert len(seen) == attempts


@pytest.mark.parametrize("anew", [True, False])
def test_a_repeat_is_signed_anew_or_as_before(anew: bool) -> None:
    with answering(lambda _: (500, b"")) as (url, seen), account(url, repeats_sign_anew=anew) as opened:
        opened.user("张").says("你好")

    assert len({one["nonce"] for one in seen}) == (3 if anew else 1)
    assert all(one["signature"] == get_signature(TOKEN, one["timestamp"], one["nonce"]) for one in seen)


def test_the_connection_is_cut_when_the_time_is_up() -> None:
    """Cut over the whole request: bytes that keep trickling in do not win more time."""
    enough = threading.Event()
    trickling = answering(lambda _: (200, b"success"), trickle_until=enough)
    with trickling as (url, seen), account(url, timeout_s=0.2) as opened:
        received = opened.user("张").says("你好")
        enough.set()

    assert received.fault == "0.2秒内没有回应"
    assert len(seen) == 3


def test_repeats_may_overlap_the_request_before() -> None:
    """None of the three is answered before all have arrived."""
    together = threading.Barrier(3, timeout=30)

    def meet(_: int) -> tuple[int, bytes]:
        together.wait()
        return 200, b"success"

    with answering(meet) as (url, seen), account(url, repeats_overlap=True, timeout_s=30) as opened:
        received = opened.user("张").says("你好")

    assert received.fault is None
    assert len(received.exchange.attempts) == len(seen) == 3


def test_many_failures_stop_the_pushes_for_a_minute() -> None:
    clock = [NOW]
    with answering(lambda _: (500, b"")) as (url, seen):
        rules = DeliveryRules(attempts=1, mark_fail_after=3)
        with SimulatedAccount(url, credentials("plain"), rules=rules, now=lambda: clock[0]) as opened:
            zhang = opened.user("张")
            for _ in range(2):
                zhang.says("你好")
            clock[0] += timedelta(seconds=61)
            for _ in range(3):
                zhang.says("你好")
            assert len(seen) == 5
            assert "MarkFail" in (zhang.says("你好").fault or "")
            assert len(seen) == 5
            clock[0] += timedelta(seconds=60)
            assert zhang.says("你好").fault == "状态码500"


def test_a_redirect_is_a_failure() -> None:
    with answering(lambda _: (301, b"")) as (url, _), account(url) as opened:
        assert opened.user("张").says("你好").fault == "状态码301"


def test_the_clock_may_be_off() -> None:
    with answering(lambda _: (200, b"")) as (url, seen), account(url, clock_skew_s=-300) as opened:
        xml = opened.named("o_x", pushes.text("问"))
        opened.push("o_x", pushes.text("问"), xml, Oddities(skew_s=100))

    assert abs(int(seen[0]["timestamp"]) - datetime.now(UTC).timestamp() + 200) < 60


# Events, taps, allowance.


def test_two_equal_events_of_one_second_are_told_apart() -> None:
    with SimulatedAccount("http://127.0.0.1:9", credentials(), now=lambda: NOW) as opened:
        times = {ET.fromstring(opened.named("o_x", pushes.click("K"))).findtext("CreateTime") for _ in range(3)}

    assert len(times) == 3


def test_an_openid_looks_like_wechats_and_stays_the_same() -> None:
    assert openid_of("张三") == openid_of("张三") != openid_of("李四")
    assert len(openid_of("张三")) == 28


LINKED = '<a href="weixin://bizmsgmenu?msgmenucontent=%E4%B8%80&msgmenuid=m1">一</a>'


@pytest.mark.parametrize(("kind", "has_id"), [(AccountKind.VERIFIED_SERVICE, True), (AccountKind.TEST, False)])
def test_a_tap_is_a_text_and_counts_as_a_menu_click(kind: AccountKind, has_id: bool) -> None:
    openid = openid_of("张")
    answer = reply(to=openid, inner=f"<Content><![CDATA[{LINKED}]]></Content>")
    with (
        answering(lambda _: (200, answer)) as (url, seen),
        SimulatedAccount(url, credentials("plain"), kind=kind, now=lambda: NOW) as opened,
    ):
        zhang = opened.user("张")
        zhang.follows()
        tapped = zhang.taps("一")
        granted = {grant.trigger for grant in zhang.allowance.open(NOW)}

    pushed = ET.fromstring(tapped.exchange.clear)
    assert pushed.findtext("Content") == "一"
    assert (pushed.findtext("bizmsgmenuid") == "m1") == has_id
    assert granted == {Trigger.FOLLOW, Trigger.MENU_CLICK}
    assert len(seen) == 2


def test_the_allowance_follows_the_table() -> None:
    allowance = Allowance()
    assert allowance.charge(NOW) == 45015
    allowance.grant(Trigger.MESSAGE, NOW)
    allowance.grant(Trigger.MENU_CLICK, NOW)

    assert [allowance.charge(NOW) for _ in range(9)] == [0] * 8 + [45047]
    allowance.grant(Trigger.MENU_CLICK, NOW)
    assert allowance.charge(NOW + timedelta(seconds=59)) == 0
    assert allowance.charge(NOW + timedelta(seconds=60)) == 45047
    assert allowance.charge(NOW + timedelta(hours=48)) == 45015


def test_what_opens_the_allowance() -> None:
    assert trigger_of(pushes.text("问")) is Trigger.MESSAGE
    assert trigger_of(pushes.image()) is Trigger.MESSAGE
    assert trigger_of(pushes.text("一", "m1")) is Trigger.MENU_CLICK
    assert trigger_of(pushes.click("K")) is Trigger.MENU_CLICK
    assert trigger_of(pushes.scancode("K")) is Trigger.MENU_CLICK
    assert trigger_of(pushes.subscribe()) is Trigger.FOLLOW
    assert trigger_of(pushes.scan("7")) is Trigger.SCAN
    assert trigger_of(pushes.view("https://example.cn")) is None
    assert trigger_of(pushes.unsubscribe()) is None


def test_the_tests_peer_and_the_simulator_agree_on_a_push() -> None:
    """Two implementations of WeChat's side; what one seals in safe mode the other reads."""
    sealed = seal(credentials(), "o_x", "<xml><Content>问</Content></xml>", stamp="1795485600", nonce="42")
    cipher = ET.fromstring(sealed.body).findtext("Encrypt") or ""
    peer = WeChatPeer(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY)

    as_reply = (
        f"<xml><Encrypt>{cipher}</Encrypt><MsgSignature>{sealed.query['msg_signature']}</MsgSignature>"
        "<TimeStamp>1795485600</TimeStamp><Nonce>42</Nonce></xml>"
    )
    assert "问" in peer.read(as_reply.encode())


@contextmanager
def answering(
    answer: Callable[[int], tuple[int, bytes]], trickle_until: threading.Event | None = None
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A webhook that answers its n-th request as told, perhaps a byte now and then; and the requests it saw."""
    seen: list[dict[str, str]] = []
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            with lock:
                seen.append({**query, "body": body.decode()})
                number = len(seen)
            status, given = answer(number)
            try:
                self.send_response(status)
                self.send_header("content-length", str(len(given) + (10_000 if trickle_until else 0)))
                self.end_headers()
                while trickle_until and not trickle_until.wait(0.02):
                    self.wfile.write(b" ")
                self.wfile.write(given)
            except ConnectionError:
                pass  # WeChat cut the connection

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()
