"""How fast one asker may write: so many messages in so much time, then a friendly word (library: limits)."""

import redis
import structlog
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import MovingWindowRateLimiter

log = structlog.get_logger()


class Pace:
    """The limits on one asker's messages; counted in Redis where several processes share it."""

    def __init__(self, limits: str, redis_url: str = "") -> None:
        """`limits` as in "20/minute;300/day"; empty: none. Raises ValueError where it cannot be read."""
        self._items: list[RateLimitItem] = parse_many(limits) if limits else []
        # A webhook must not wait for a Redis that is away: WeChat gives five seconds for everything.
        storage: Storage = (
            RedisStorage(redis_url, socket_timeout=0.3, socket_connect_timeout=0.3) if redis_url else MemoryStorage()
        )
        self._limiter = MovingWindowRateLimiter(storage)

    def allows(self, asker: str) -> bool:
        """Count one message of an asker (any name for them that stays the same); False where it is too many."""
        try:
            return all(self._limiter.hit(item, "fawen", asker) for item in self._items)
        except redis.RedisError as error:
            # Better to answer too much than not at all; the log tells the operator.
            log.warning("pace_not_counted", error=type(error).__name__)
            return True
