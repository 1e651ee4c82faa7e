"""One of several processes that share a Redis; run by test_redis.py.

    python -m tests.bot.redis_peer pace URL LIMITS ASKER TIMES     prints how many messages were let through
    python -m tests.bot.redis_peer token URL HOST NAME             prints the access token, kept in Redis under NAME

It says `ready`, and begins when a line comes on its standard input, so that several begin together.
"""

import sys

from bot.pace import Pace
from bot.wechat.client import ApiClient
from bot.wechat.tokens import RedisTokens
from tests.conftest import APP_ID
from tests.wechat_api import SECRET


def main(what: str, url: str, *more: str) -> None:
    """Do one of the two."""
    if what == "pace":
        limits, asker, times = more
        pace = Pace(limits, url)
        begin()
        print(sum(pace.allows(asker) for _ in range(int(times))))
        return
    host, name = more
    client = ApiClient(APP_ID, SECRET, RedisTokens(url, name), host=host)
    begin()
    print(client.token())
    client.close()


def begin() -> None:
    """Wait for the others."""
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main(*sys.argv[1:])
