"""The envelope against WeRoBot's crypto as WeChat, in both directions, and against hostile input."""

import contextlib
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wechat.envelope import Envelope, Mode, Opened, Push
from bot.wechat.errors import EnvelopeError, InvalidSignature, StalePush, UnreadableMessage
from bot.wechat.messages import Follow, IncomingMessage, Media, OtherEvent, Scan, Text, Unfollow, Unknown, Voice
from tests.conftest import AES_KEY, APP_ID, TOKEN
from tests.wechat_user import WeChatPeer

OLD_KEY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
MODES = ["plain", "compat", "safe"]
# What XML 1.0 can carry and a field keeps: no control characters, no blanks at the ends.
CLEAN = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1, max_size=200)


def envelope(mode: str = "safe", aes_key: str = AES_KEY, previous: str = "") -> Envelope:
    return Envelope(token=TOKEN, app_id=APP_ID, aes_key=aes_key, previous_aes_key=previous, mode=Mode(mode))


def peer(mode: str = "safe", aes_key: str = AES_KEY, token: str = TOKEN, app_id: str = APP_ID) -> WeChatPeer:
    return WeChatPeer(token=token, app_id=app_id, aes_key=aes_key, mode=mode)


def xml(kind: str = "text", openid: str = "o_zhang", created: str = "1795485600", **fields: str) -> str:
    shown = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return (
        f"<xml><ToUserName>gh_fawen</ToUserName><FromUserName>{openid}</FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType>{kind}</MsgType>{shown}</xml>"
    )


def opened(text: str, mode: str = "safe", box: Envelope | None = None, sender: WeChatPeer | None = None) -> Opened:
    query, body = (sender or peer(mode)).push(text)
    return (box or envelope(mode)).open(Push(body, query), datetime.now(UTC))


def message(text: str) -> IncomingMessage:
    return opened(text).message


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60)
@given(text=CLEAN)
def test_a_push_opens_to_what_was_sent(mode: str, text: str) -> None:
    sent = text.replace("]]>", "")
    content = opened(xml(Content=f"<![CDATA[{sent}]]>", MsgId="1"), mode).message.content

    assert isinstance(content, Text)
    assert content.content == sent.replace("\r\n", "\n").replace("\r", "\n").strip()


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60)
@given(text=st.text(min_size=1, max_size=300))
def test_a_reply_reads_back_as_it_was_without_what_xml_forbids(mode: str, text: str) -> None:
    box = envelope(mode)
    sealed = box.seal(opened(xml(Content="问", MsgId="1"), mode, box), text, datetime.now(UTC))
    reply = ET.fromstring(peer(mode).read(sealed))

    allowed = "".join(
        c for c in text if c in "\t\n\r" or "\x20" <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000"
    )
    # An XML parser turns carriage returns into line feeds (XML 1.0, 2.11).
    assert (reply.findtext("Content") or "") == allowed.replace("\r\n", "\n").replace("\r", "\n")
    assert reply.findtext("ToUserName") == "o_zhang"
    assert reply.findtext("MsgType") == "text"


def test_no_text_can_forge_another_field() -> None:
    box = envelope("plain")
    forged = "x]]></Content><MsgType>evil</MsgType><Content>"
    reply = ET.fromstring(box.seal(opened(xml(Content="问"), "plain", box), forged, datetime.now(UTC)))

    assert reply.findtext("Content") == forged
    assert len(reply.findall("MsgType")) == 1


@settings(max_examples=300)
@given(body=st.binary(max_size=400), query=st.dictionaries(st.sampled_from(
    ["signature", "timestamp", "nonce", "encrypt_type", "msg_signature"]), st.text(max_size=12)))  # fmt: skip
def test_arbitrary_bytes_raise_nothing_else(body: bytes, query: dict[str, str]) -> None:
    for mode in MODES:
        with pytest.raises(EnvelopeError):
            envelope(mode).open(Push(body, query), datetime.now(UTC))


@settings(max_examples=200)
@given(inner=st.text(alphabet="<>/xmlMsgTypeContent &;![]CDATA0123", max_size=120))
def test_whatever_a_signed_body_holds_is_a_message_or_unreadable(inner: str) -> None:
    with contextlib.suppress(UnreadableMessage):
        assert opened(inner, "plain").message.openid


@pytest.mark.parametrize("mode", ["compat", "safe"])
def test_a_changed_cipher_or_signature_is_refused(mode: str) -> None:
    query, body = peer(mode).push(xml(Content="问"))
    now = datetime.now(UTC)

    for change in ({"msg_signature": "0" * 40}, {"timestamp": "1"}, {"nonce": "9"}, {"msg_signature": ""}):
        with pytest.raises(InvalidSignature):
            envelope(mode).open(Push(body, {**query, **change}), now)
    with pytest.raises(InvalidSignature):
        envelope(mode).open(Push(body.replace(b"<Encrypt><![CDATA[", b"<Encrypt><![CDATA[AAAA"), query), now)
    with pytest.raises(InvalidSignature):
        opened(xml(Content="问"), mode, sender=peer(mode, token="another"))


def test_a_clear_push_is_no_way_round_encryption() -> None:
    with pytest.raises(InvalidSignature, match="safe"):
        opened(xml(Content="问"), "safe", sender=peer("plain"))


def test_compatible_mode_believes_the_encrypted_part_only() -> None:
    query, body = peer("compat").push(xml(Content="真", MsgId="1"), forge_clear=xml(openid="o_victim", Content="假"))
    result = envelope("compat").open(Push(body, query), datetime.now(UTC)).message

    assert (result.openid, result.content) == ("o_zhang", Text("真", None))
    assert opened(xml(Content="明"), "compat", sender=peer("plain")).message.content == Text("明", None)


def test_the_previous_key_opens_and_seals_while_a_new_one_takes_over() -> None:
    box = envelope(aes_key=AES_KEY, previous=OLD_KEY)
    for key in (AES_KEY, OLD_KEY):
        result = opened(xml(Content="问"), box=box, sender=peer(aes_key=key))
        reply = peer(aes_key=key).read(box.seal(result, "答", datetime.now(UTC)))
        assert "答" in reply


@pytest.mark.parametrize("sender", [peer(aes_key=OLD_KEY), peer(app_id="wx_another_account")])
def test_what_no_key_of_ours_opens_is_verified_and_unreadable(sender: WeChatPeer) -> None:
    with pytest.raises(UnreadableMessage) as raised:
        opened(xml(Content="问"), sender=sender)
    assert raised.value.verified


def test_an_old_push_is_stale_and_a_retry_is_not() -> None:
    box, now = envelope(), datetime.now(UTC)
    query, body = peer().push(xml(Content="问"))

    assert box.open(Push(body, query), now + timedelta(minutes=5))
    for late in (timedelta(minutes=11), timedelta(minutes=-11)):
        with pytest.raises(StalePush):
            box.open(Push(body, query), now + late)


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]><xml><ToUserName>&a;</ToUserName></xml>',
        "<!DOCTYPE x ["
        + "".join(f'<!ENTITY a{i} "&a{i - 1};&a{i - 1};">' for i in range(1, 20))
        + "]><xml>&a19;</xml>",
        "<xml>" + "<a>" * 2000 + "</a>" * 2000 + "</xml>",
        "<xml/>",
        "<foo><MsgType>text</MsgType></foo>",
        xml(created="9" * 30),
        xml(created="soon"),
        xml(openid=""),
        xml(openid="o" * 200),
        "<xml>\x00</xml>",
        "[]",
    ],
)
def test_unusable_bodies_are_unreadable(body: str) -> None:
    with pytest.raises(UnreadableMessage):
        opened(body, "plain")


def test_other_encodings_are_unreadable_and_a_byte_order_mark_is_fine() -> None:
    query, _ = peer("plain").push("")
    now = datetime.now(UTC)

    with pytest.raises(UnreadableMessage):
        envelope("plain").open(Push(xml(Content="中文").encode("gbk"), query), now)
    marked = envelope("plain").open(Push(xml(Content="中文").encode("utf-8-sig"), query), now)
    assert marked.message.content == Text("中文", None)


def test_kinds_of_message_and_event() -> None:
    assert message(xml(Content="甲", bizmsgmenuid="m1")).content == Text("甲", "m1")
    assert message(xml("voice", Recognition="话")).content == Voice("话")
    assert message(xml("image", PicUrl="x")).content == Media("image")
    assert message(xml("hologram")).content == Unknown("hologram")
    assert message(xml("event", Event="subscribe", EventKey="qrscene_7")).content == Follow("7")
    assert message(xml("event", Event="subscribe")).content == Follow(None)
    assert message(xml("event", Event="unsubscribe")).content == Unfollow()
    assert message(xml("event", Event="SCAN", EventKey="7")).content == Scan("7")
    assert message(xml("event", Event="VIEW", EventKey="u")).content == OtherEvent("VIEW")
    assert message(xml(Content="<a>b</a>")).content == Text("", None)
    twice = xml(Content="甲").replace("</xml>", "<Content>乙</Content></xml>")
    assert message(twice).content == Text("", None)


def test_keys_tell_messages_apart_and_know_a_retry() -> None:
    """Different people were seen sharing one MsgId (wechat.md §0.8)."""
    one = message(xml(Content="甲", MsgId="5")).key

    assert message(xml(Content="甲", MsgId="5")).key == one
    others = {
        message(xml(Content="甲", MsgId="6")).key,
        message(xml(openid="o_li", Content="甲", MsgId="5")).key,
        message(xml(created="1795485601", Content="甲", MsgId="5")).key,
        message(xml("event", Event="SCAN", EventKey="1")).key,
        message(xml("event", Event="SCAN", EventKey="2")).key,
        message(xml("event", Event="CLICK", EventKey="2")).key,
    }
    assert len(others | {one}) == 7


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"token": ""}, "FAWEN_WECHAT_TOKEN"),
        ({"app_id": ""}, "FAWEN_WECHAT_APP_ID"),
        ({"aes_key": "short"}, "FAWEN_WECHAT_AES_KEY"),
        ({"aes_key": "!" * 43}, "FAWEN_WECHAT_AES_KEY"),
        ({"previous_aes_key": "x" * 44}, "FAWEN_WECHAT_PREVIOUS_AES_KEY"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(values: dict[str, str], variable: str) -> None:
    good = {"token": TOKEN, "app_id": APP_ID, "aes_key": AES_KEY}

    with pytest.raises(ValueError, match=variable):
        Envelope(**{**good, **values}, mode=Mode.SAFE)
