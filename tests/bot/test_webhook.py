"""The webhook from outside: status codes, modes, and input that is of no use."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import select

from knowledge.database import Database
from knowledge.models import Message
from tests.conftest import AES_KEY, APP_ID, TOKEN, Served, serving
from tests.databases import opened_database
from tests.wechat_user import WeChatPeer

TEXT = (
    "<xml><ToUserName><![CDATA[gh_fawen]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName>"
    "<CreateTime>1795485600</CreateTime><MsgType><![CDATA[text]]></MsgType>"
    "<Content><![CDATA[{text}]]></Content><MsgId>{id}</MsgId></xml>"
)


def peer(mode: str = "safe") -> WeChatPeer:
    return WeChatPeer(token=TOKEN, app_id=APP_ID, aes_key=AES_KEY, mode=mode)


def post(served: Served, xml: str, mode: str = "safe", **change: Any) -> Any:
    query, body = peer(mode).push(xml)
    return served.http.post("/wechat", params={**query, **change}, content=body)


def test_the_url_check_gets_its_echo(fawen: Served) -> None:
    query, _ = peer("plain").push("<xml/>")

    answer = fawen.http.get("/wechat", params={**query, "echostr": "4711"})

    assert (answer.status_code, answer.text) == (200, "4711")


def test_a_wrong_signature_is_refused(fawen: Served) -> None:
    query, _ = peer("plain").push("<xml/>")

    assert fawen.http.get("/wechat", params={**query, "signature": "0" * 40, "echostr": "1"}).status_code == 403
    assert post(fawen, TEXT.format(openid="o_x", text="你好", id=1), msg_signature="0" * 40).status_code == 403
    assert fawen.http.post("/wechat", content=b"<xml></xml>").status_code == 403


@pytest.mark.parametrize("mode", ["plain", "compat", "safe"])
def test_a_question_is_answered_in_every_mode(mode: str, tmp_path: Path) -> None:
    with opened_database("sqlite", tmp_path) as database, serving(database, mode=mode) as served:
        served.user("zhang").says("试用期最长多久").hears("最长六个月").hears_citation("《劳动合同法》第十九条")


def test_a_clear_push_is_refused_where_encryption_is_set(fawen: Served) -> None:
    assert post(fawen, TEXT.format(openid="o_x", text="试用期", id=2), mode="plain").status_code == 403


def test_too_large_a_body_is_refused(fawen: Served) -> None:
    xml = TEXT.format(openid="o_x", text="长" * 40_000, id=3)

    assert post(fawen, xml).status_code == 413


def test_a_body_that_cannot_be_verified_is_malformed(fawen: Served) -> None:
    query, _ = peer().push("<xml/>")

    assert fawen.http.post("/wechat", params=query, content=b"not xml at all").status_code == 400
    assert fawen.http.post("/wechat", params=query, content=b"").status_code == 400


@pytest.mark.parametrize(
    "xml",
    [
        "not xml",
        "<xml></xml>",
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><MsgType>&a;</MsgType></xml>',
        "<xml><ToUserName>a</ToUserName><MsgType><b>text</b></MsgType></xml>",
    ],
)
def test_signed_but_unusable_input_is_accepted_in_silence(fawen: Served, xml: str) -> None:
    """Anything else would make WeChat push it again and count it as a failure."""
    answer = post(fawen, xml)

    assert (answer.status_code, answer.text) == (200, "success")


def test_unknown_kinds_of_message_get_a_word(fawen: Served) -> None:
    user = fawen.user("kinds")

    user.sends("image", PicUrl="http://x/", MediaId="m").hears("图片")
    user.sends("voice", MediaId="m", Format="amr").hears("语音")
    user.sends("hologram").hears("文字")
    user.event("TEMPLATESENDJOBFINISH", MsgID="1", Status="success").hears("")


def test_a_recognised_voice_message_is_a_question(fawen: Served) -> None:
    fawen.user("voice").sends("voice", MediaId="m", Format="amr", Recognition="试用期最长多久").hears_citation(
        "《劳动合同法》第十九条"
    )


def test_a_repeated_push_gets_the_same_reply_and_is_logged_once(served: Served) -> None:
    zhang = served.user("zhang")
    first = zhang.says("隔壁王大爷的鹦鹉学会骂人违法吗")

    again = zhang.repeats_last()

    assert again.text == first.text
    assert _messages(served.database) == 1


def test_the_same_push_many_times_at_once_is_one_message(served: Served) -> None:
    """WeChat repeats a push after 5 s while the first may still be running."""
    query, body = peer().push(TEXT.format(openid="o_zhang", text="隔壁王大爷的鹦鹉学会骂人违法吗", id=99))
    barrier = threading.Barrier(8)

    def push() -> str:
        barrier.wait()
        return peer().read(served.http.post("/wechat", params=query, content=body).content)

    with ThreadPoolExecutor(8) as pool:
        replies = {_content(reply) for reply in pool.map(lambda _: push(), range(8))}

    assert len(replies) == 1
    assert _messages(served.database) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "长" * 682,
        "😀👨‍👩‍👧‍👦",
        "試用期最長多久",
        "试用期最长多久１２３",
        "<a href='x'>]]></a>",
        "'; DROP TABLE message;--",
        "。" * 300,
    ],
)
def test_odd_questions_get_a_sane_reply(fawen: Served, text: str) -> None:
    heard = fawen.user("odd").says(text)

    assert heard.status == 200
    assert heard.text
    assert len(heard.text.encode()) <= 1800


def test_traditional_characters_find_the_entry(fawen: Served) -> None:
    fawen.user("trad").says("試用期最長多久？").hears_citation("《劳动合同法》第十九条")


def test_a_push_signed_long_ago_is_refused(fawen: Served) -> None:
    query, body = peer().push(TEXT.format(openid="o_x", text="试用期", id=4), timestamp="1500000000")

    assert fawen.http.post("/wechat", params=query, content=body).status_code == 403


FIELDS = [
    "Content",
    "MsgType",
    "Event",
    "EventKey",
    "MsgId",
    "CreateTime",
    "Recognition",
    "bizmsgmenuid",
    "FromUserName",
]
VALUES = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>&"), max_size=80),
    st.sampled_from(
        ["text", "event", "subscribe", "unsubscribe", "SCAN", "CLICK", "voice", "m1", "r1", "k0", "取答复"]
    ),
    st.sampled_from(["<b>x</b>", "1</Content><Content>2", "<![CDATA[]]]]><![CDATA[>]]>", "&lt;a&gt;", "9" * 400]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), max_size=8))
def test_no_signed_body_is_ever_a_fault(fawen: Served, fields: list[tuple[str, str]]) -> None:
    """Whatever stands in the fields: a reply that fits, or `success`; the next question is answered."""
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields)
    named = {name for name, _ in fields}
    rest = {"FromUserName": "o_fuzz", "CreateTime": "1795485600", "MsgType": "text", "MsgId": "1"}
    inner += "".join(f"<{name}>{value}</{name}>" for name, value in rest.items() if name not in named)

    answer = post(fawen, f"<xml><ToUserName>gh_fawen</ToUserName>{inner}</xml>")

    assert answer.status_code == 200
    if answer.content != b"success":
        assert 0 < len(_content(peer().read(answer.content)).encode()) <= 2048


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=600))
def test_no_unsigned_body_is_ever_a_fault(fawen: Served, body: bytes) -> None:
    query, _ = peer().push("<xml/>")

    assert fawen.http.post("/wechat", params=query, content=body).status_code in (400, 403)


def _messages(database: Database) -> int:
    with database.reading() as session:
        return session.exec(select(func.count()).select_from(Message)).one()


def _content(xml: str) -> str:
    return xml.split("<Content>")[1].split("</Content>", maxsplit=1)[0]
