"""The simulator talks to a running Fawen as WeChat does, and judges replies as WeChat would."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.simulator import phone, terminal
from bot.simulator.account import NotReachable, SimulatedAccount
from bot.wechat.envelope import Mode
from tests.conftest import AES_KEY, APP_ID, TOKEN, Served, opened_database, serving


def account(url: str, mode: str = "safe") -> SimulatedAccount:
    return SimulatedAccount(f"{url}/wechat", TOKEN, APP_ID, AES_KEY, Mode(mode))


def chat(url: str, *lines: str, mode: str = "safe") -> str:
    """What the terminal shows when somebody types these lines."""
    typed: Iterator[str] = iter(lines)
    shown: list[str] = []
    terminal.chat(account(url, mode), "o_terminal_user_000000000001", lambda: next(typed, None), shown.append)
    return "\n".join(shown)


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
def test_a_conversation_in_every_mode(mode: str, tmp_path: Path) -> None:
    with opened_database("sqlite", tmp_path) as database, serving(database, mode=mode) as served:
        shown = chat(served.url, "试用期最长多久", ":1", ":关注", ":图片", ":重发", ":9", ":what", ":退出", mode=mode)

    assert "最长六个月" in shown
    assert "（点了“试用期工资最低多少”）" in shown
    assert "百分之八十" in shown
    assert "欢迎关注" in shown
    assert shown.count("暂时看不了图片") == 2
    assert "没有〔9〕" in shown
    assert "href" not in shown


def test_nobody_at_the_address_is_told_with_the_cure() -> None:
    assert "fawen serve" in chat("http://127.0.0.1:9", "你好")
    with pytest.raises(NotReachable):
        account("http://127.0.0.1:9").text("o_x", "你好")


def test_a_wrong_token_shows_the_fault_notice(fawen: Served) -> None:
    stranger = SimulatedAccount(f"{fawen.url}/wechat", "another token", APP_ID, AES_KEY, Mode.SAFE)

    assert stranger.text("o_x", "你好").fault == "状态码403"


def reply_xml(to: str, sender: str, content: str) -> bytes:
    return (
        f"<xml><ToUserName>{to}</ToUserName><FromUserName>{sender}</FromUserName>"
        f"<MsgType>text</MsgType><Content>{content}</Content></xml>"
    ).encode()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b"", None),
        (b"success", None),
        (b"<html>Error 500</html>", "格式"),
        (b"{}", "格式"),
        (reply_xml("o_x", "gh_simulated", "长" * 700), "2100字节"),
        (reply_xml("gh_simulated", "o_x", "甲"), "收发双方"),
    ],
)
def test_replies_are_judged_as_wechat_would(body: bytes, fault: str | None) -> None:
    with answering(lambda _: (200, body)) as url:
        received = account(url, "plain").text("o_x", "你好")

    assert (received.fault is None) == (fault is None)
    assert fault is None or fault in (received.fault or "")


def test_a_push_without_an_answer_is_repeated_until_it_is_answered() -> None:
    with answering(lambda count: (200, b"success") if count == 3 else (500, b"")) as url:
        assert account(url, "plain").text("o_x", "你好").fault is None
    with answering(lambda _: (500, b"")) as url:
        assert account(url, "plain").text("o_x", "你好").fault == "状态码500"


def test_a_phone_shows_labels_and_taps_send_their_text() -> None:
    link = '<a href="weixin://bizmsgmenu?msgmenucontent=%E5%B7%A5%E8%B5%84%2B1&msgmenuid=m7">工资</a>'
    shown, taps = phone.show(
        f'看{link}和<a href="https://example.cn">网页</a><a href="weixin://bizmsgmenu?x=1">坏的</a>'
    )

    assert shown == "看〔1〕工资和网页（https://example.cn）坏的"
    assert taps == [phone.Tap("工资", "工资+1", "m7")]


@contextmanager
def answering(answer: Callable[[int], tuple[int, bytes]]) -> Iterator[str]:
    """A webhook that answers its n-th request as told."""
    counted = iter(range(1, 100))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            status, body = answer(next(counted))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
