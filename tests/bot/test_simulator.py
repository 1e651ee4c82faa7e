"""The simulator talks to a running Fawen as WeChat does: every mode, a chat in the terminal, a storm."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.simulator import phone, pushes, terminal
from bot.simulator.account import NotFollowing, NothingToTap, SimulatedAccount
from bot.simulator.chaos import ODD_PUSHES, ChaosOptions, plan, storm
from bot.simulator.sealing import Credentials
from bot.wechat.envelope import Mode
from tests.conftest import AES_KEY, APP_ID, TOKEN, Served, serving
from tests.databases import opened_database

OLD_KEY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"


def account(url: str, mode: str = "safe", token: str = TOKEN, previous: str = "") -> SimulatedAccount:
    credentials = Credentials(token, APP_ID, AES_KEY, Mode(mode), previous_aes_key=previous)
    return SimulatedAccount(f"{url}/wechat", credentials)


def chat(url: str, *lines: str, mode: str = "safe") -> str:
    """What the terminal shows when somebody types these lines."""
    typed: Iterator[str] = iter(lines)
    shown: list[str] = []
    with account(url, mode) as opened:
        terminal.chat(opened, opened.user("我"), lambda _: next(typed, None), shown.append)
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


def test_the_terminal_knows_every_action(fawen: Served) -> None:
    lines = [
        ":验证",
        ":扫码 摊位",
        ":菜单 HELP",
        ":语音",
        ":语音 试用期最长多久",
        ":视频",
        ":位置",
        ":链接",
        ":表情",
        ":额度",
        ":报文",
    ]
    shown = chat(fawen.url, *lines, ":取关", "在吗", ":额度", ":用户 李四", ":用户", "：退出")

    assert "网址验证通过" in shown
    assert "你扫了公众号的二维码：摊位" in shown
    assert "你点了菜单：HELP" in shown
    assert "《劳动合同法》第十九条" in shown
    assert "因发消息：还可主动发5条，47小时59分内有效" in shown
    assert "因点菜单：还可主动发3条" in shown
    assert "msg_signature" in shown
    assert "<MsgType><![CDATA[text]]></MsgType>" in shown
    assert "先输入 :关注" in shown
    assert "现在不能主动" in shown
    assert "〔李四〕" in shown
    assert chat(fawen.url, ":重发", ":报文").count("还没有") == 2


def test_nobody_at_the_address_is_told_with_the_cure() -> None:
    assert "fawen serve" in chat("http://127.0.0.1:9", "你好")
    with account("http://127.0.0.1:9") as opened:
        received = opened.user("张").says("你好")
        assert received.exchange.is_unreachable
        assert len(received.exchange.attempts) == 3


def test_a_wrong_token_shows_the_fault_notice(fawen: Served) -> None:
    with account(fawen.url, token="another token") as stranger:
        assert stranger.user("张").says("你好").fault == "状态码403"


def test_a_server_address_is_checked_as_the_console_does(fawen: Served) -> None:
    with account(fawen.url) as opened:
        assert opened.check_url() is None
    with account(fawen.url, token="another token") as opened:
        assert opened.check_url() == "状态码403"
    with account(f"{fawen.url}/healthz?x=") as opened:
        assert "echostr" in (opened.check_url() or "")
    with account("http://127.0.0.1:9") as opened:
        assert "连不上" in (opened.check_url() or "")


def test_a_user_taps_the_newest_links_and_the_old_ones(fawen: Served) -> None:
    with account(fawen.url) as opened:
        zhang = opened.user("张")
        answered = zhang.says("试用期最长多久")
        assert "依据：" in answered.visible
        assert "href" not in answered.visible
        zhang.follows()
        assert zhang.taps("有用").fault is None
        with pytest.raises(NothingToTap, match="可点的有"):
            zhang.taps("no such label")
        zhang.unfollows()
        with pytest.raises(NotFollowing):
            zhang.says("还在吗")
        assert "欢迎关注" in zhang.scans("摊位").text


@pytest.mark.parametrize("body", ODD_PUSHES, ids=lambda body: body.kind)
def test_every_kind_of_push_is_taken(body: pushes.PushBody, fawen: Served) -> None:
    with account(fawen.url) as opened:
        received = opened.user("杂").happens(body)

    assert received.fault is None
    assert len(received.exchange.attempts) == 1


def test_a_storm_is_the_same_for_the_same_seed() -> None:
    assert plan(200, ChaosOptions(seed=7)) == plan(200, ChaosOptions(seed=7))
    assert plan(200, ChaosOptions(seed=7)) != plan(200, ChaosOptions(seed=8))
    kept = [one.identity for one in plan(200, ChaosOptions(reorder_within=0))]
    assert kept == sorted(kept)
    assert len(kept) > 200


@pytest.mark.parametrize("mode", ["compat", "safe"])
def test_a_storm_leaves_nothing_unanswered_and_nothing_answered_twice(mode: str, tmp_path: Path) -> None:
    """Duplicates at once, reordering, clocks off by five minutes, the old key, forged clear fields, odd words."""
    with (
        opened_database("sqlite", tmp_path) as database,
        serving(database, mode=mode, previous_aes_key=OLD_KEY) as served,
        account(served.url, mode, previous=OLD_KEY) as opened,
    ):
        report = storm(opened, 150, ChaosOptions(seed=6))

    assert report.is_clean, report.lines()
    assert report.sent > 150
    assert report.answered > 100


def test_a_phone_shows_labels_and_taps_send_their_text() -> None:
    link = '<a href="weixin://bizmsgmenu?msgmenucontent=%E5%B7%A5%E8%B5%84%2B1&msgmenuid=m7">工资</a>'
    reply = f'看{link}和<a href="https://example.cn">网页</a><a href="weixin://bizmsgmenu?x=1">坏的</a>'

    assert phone.numbered(reply) == "看〔1〕工资和网页（https://example.cn）坏的"
    assert phone.visible(reply) == "看工资和网页坏的"
    assert phone.taps(reply) == [phone.Tap("工资", "工资+1", "m7")]
