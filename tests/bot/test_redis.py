"""What several processes share in a real Redis: the count of each asker's messages, and the access token."""

import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis

from bot.wechat.tokens import RedisTokens
from tests.wechat_api import WeChat, wechat

URL = "redis://127.0.0.1:6379/15"


@pytest.fixture
def name() -> Iterator[str]:
    """A name nobody else uses in this Redis; its keys are deleted in the end."""
    store = redis.Redis.from_url(URL, socket_connect_timeout=1)
    try:
        store.ping()
    except redis.RedisError as error:
        pytest.skip(f"no Redis at {URL}: {error}")
    name = f"test_{secrets.token_hex(6)}"
    yield name
    for key in store.scan_iter(f"*{name}*"):
        store.delete(key)
    store.close()


@pytest.fixture
def weixin() -> Iterator[WeChat]:
    with wechat() as opened:
        yield opened


def said_by_two(*arguments: str) -> list[str]:
    """What two processes print that begin together."""
    command = [sys.executable, "-m", "tests.bot.redis_peer", *arguments]
    peers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for peer in peers:
        assert peer.stdout
        assert peer.stdout.readline() == "ready\n"
    for peer in peers:
        assert peer.stdin
        peer.stdin.write("go\n")
        peer.stdin.flush()
    said = [peer.communicate(timeout=120)[0].strip() for peer in peers]
    assert [peer.returncode for peer in peers] == [0, 0]
    return said


def test_two_processes_count_an_askers_messages_together(name: str) -> None:
    said = said_by_two("pace", URL, "30/hour", name, "40")

    assert sum(int(one) for one in said) == 30


def test_two_processes_fetch_one_token(weixin: WeChat, name: str) -> None:
    first, second = said_by_two("token", URL, weixin.host, name)

    assert first == second
    assert weixin.calls("stable_token") == 1
    kept = RedisTokens(URL, name)
    assert kept.get() == first
    kept.close()


def test_a_refused_token_is_renewed_for_both_processes(weixin: WeChat, name: str) -> None:
    stale, _ = said_by_two("token", URL, weixin.host, name)
    weixin.platform.tokens.revoke()
    client = weixin.client(tokens=RedisTokens(URL, name))
    client.server_addresses()

    renewed = said_by_two("token", URL, weixin.host, name)

    assert renewed == [client.token()] * 2
    assert stale not in renewed
