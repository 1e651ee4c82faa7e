"""Settings of the WeChat side, and the keys that Fawen makes itself where none are set."""

import json
import os
import secrets
import string
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

# A part of a reply, in bytes of UTF-8, markup of links included. WeChat fails from 2,048 on (wechat.md §1.6).
PART_LIMIT_BYTES = 1800
# A push body larger than this is refused before it is parsed: 5 MB of elements took 2.4 s (wechat.md §4.3).
BODY_LIMIT_BYTES = 64 * 1024

_KEY_ALPHABET = string.ascii_letters + string.digits


class SettingsError(ValueError):
    """The environment cannot be used as it is; the text names the variable and the cure."""


class BotSettings(BaseSettings):
    """Environment variables `FAWEN_…` of the WeChat side (see `.env.example`)."""

    model_config = SettingsConfigDict(env_prefix="FAWEN_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("data")
    base_url: str = ""
    secret_key: str = ""
    previous_secret_key: str = ""
    wechat_token: str = ""
    wechat_app_id: str = ""
    wechat_aes_key: str = ""
    wechat_previous_aes_key: str = ""
    wechat_app_secret: str = ""
    wechat_mode: Literal["", "plain", "compat", "safe"] = ""
    wechat_api: str = "https://api.weixin.qq.com"
    redis_url: str = ""
    robot_origin: str = "https://qyapi.weixin.qq.com"
    rate_limit: str = "20/minute;300/day"
    retention_days: int = Field(default=730, ge=0)
    # uvicorn's name for it, which web servers' documents use; read here, so that it may stand in .env as well.
    forwarded_allow_ips: str = Field(default="127.0.0.1", validation_alias="FORWARDED_ALLOW_IPS")


@dataclass(frozen=True, slots=True)
class Account:
    """The official account Fawen serves. `is_simulated`: nobody set one, so the keys are our own."""

    token: str
    app_id: str
    aes_key: str
    previous_aes_key: str
    mode: Literal["plain", "compat", "safe"]
    secret_key: str
    is_simulated: bool
    app_secret: str = ""
    previous_secret_key: str = ""


def account(settings: BotSettings) -> Account:
    """The account to serve: the one that is set, or a simulated one whose keys are made and kept.

    Raises SettingsError where some WeChat settings are there and others missing: an account that is half
    set up would refuse every real push, or accept forged ones.
    """
    mode = settings.wechat_mode or "safe"
    given = {
        "FAWEN_WECHAT_TOKEN": settings.wechat_token,
        "FAWEN_WECHAT_APP_ID": settings.wechat_app_id,
        "FAWEN_WECHAT_AES_KEY": settings.wechat_aes_key,
    }
    others = {
        "FAWEN_WECHAT_PREVIOUS_AES_KEY": settings.wechat_previous_aes_key,
        "FAWEN_WECHAT_APP_SECRET": settings.wechat_app_secret,
        "FAWEN_WECHAT_MODE": settings.wechat_mode,
    }
    kept = _kept_secrets(settings.data_dir)
    secret_key = settings.secret_key or kept["secret_key"]
    if len(secret_key) < 32:
        raise SettingsError("FAWEN_SECRET_KEY: at least 32 characters; leave it out and Fawen makes one")
    if settings.previous_secret_key == secret_key:
        raise SettingsError(
            "FAWEN_PREVIOUS_SECRET_KEY is the same as FAWEN_SECRET_KEY: it is the key before a new one; leave it out "
            "where there is none"
        )
    if not any(given.values()) and not any(others.values()):
        # A simulator's API on this machine takes this secret; WeChat's own never hears of it.
        is_local = urlsplit(settings.wechat_api).hostname in ("127.0.0.1", "localhost", "::1")
        return Account(
            token=kept["token"],
            app_id=kept["app_id"],
            aes_key=kept["aes_key"],
            previous_aes_key="",
            mode="safe",
            secret_key=secret_key,
            is_simulated=True,
            app_secret=kept["token"] if is_local else "",
            previous_secret_key=settings.previous_secret_key,
        )
    needed = ["FAWEN_WECHAT_TOKEN"] if mode == "plain" else list(given)
    missing = [name for name in needed if not given[name]]
    if missing:
        raise SettingsError(
            f"{', '.join(missing)} missing: set {'it' if len(missing) == 1 else 'them'} as shown in the account's "
            "console (设置与开发 → 基本配置), or remove every FAWEN_WECHAT_… to try Fawen with the simulator"
        )
    return Account(
        token=settings.wechat_token,
        app_id=settings.wechat_app_id,
        aes_key=settings.wechat_aes_key,
        previous_aes_key=settings.wechat_previous_aes_key,
        mode=mode,
        secret_key=secret_key,
        is_simulated=False,
        app_secret=settings.wechat_app_secret,
        previous_secret_key=settings.previous_secret_key,
    )


def trusted_proxies(settings: BotSettings) -> list[str]:
    """Addresses and networks whose X-Forwarded-For is believed; SettingsError for what is neither.

    `*` is refused: uvicorn then believes the first address in the header, which whoever guesses passwords may write.
    """
    listed = [one.strip() for one in settings.forwarded_allow_ips.split(",") if one.strip()]
    for one in listed:
        try:
            ip_network(one)
        except ValueError as error:
            raise SettingsError(
                f"FORWARDED_ALLOW_IPS: {one!r} is no address or network of a web server before Fawen "
                "(127.0.0.1, 10.1.2.3, 10.1.2.0/24; several separated by commas)"
            ) from error
    return listed


def _kept_secrets(data_dir: Path) -> dict[str, str]:
    """The keys Fawen made for itself; made now if there are none. Readable by this user only."""
    path = data_dir / "keys.json"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        made = {
            "token": _random(32),
            "app_id": "wx" + secrets.token_hex(8),
            "aes_key": _aes_key(),
            "secret_key": secrets.token_urlsafe(48),
        }
        # Written aside and linked into place, so that of two processes starting at once one wins whole.
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(made, file, indent=1)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process's keys hold
        finally:
            draft.unlink()
    try:
        kept: dict[str, str] = json.loads(path.read_text("utf-8"))
        return {name: kept[name] for name in ("token", "app_id", "aes_key", "secret_key")}
    except (ValueError, KeyError) as error:
        raise SettingsError(f"{path} is damaged ({error!r}): restore it, or delete it to have new keys made") from error


def _random(length: int) -> str:
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(length))


def _aes_key() -> str:
    # 43 characters that, with "=", are base64 of 32 bytes; strict decoders want the last one's spare bits zero.
    return _random(42) + secrets.choice("AEIMQUYcgkosw048")
