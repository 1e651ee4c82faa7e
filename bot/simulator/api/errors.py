"""WeChat's error codes with its words; always sent with HTTP 200 and a `rid` (wechat.md §3.2)."""

import secrets

_WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40035: "invalid parameter",
    40037: "invalid template_id",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40066: "invalid url",
    40125: "invalid appsecret",
    40164: "invalid ip, not in whitelist",
    40200: "invalid message menu",
    40243: "AppSecret is frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43019: "user is in the blacklist",
    44002: "empty post data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45072: "invalid command",
    45080: "no interaction with the user within 30 seconds",
    45081: "typing already",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid",
    48001: "api unauthorized",
    48002: "user block message",
    48006: "forbid to clear quota because of reaching the limit",
    50002: "user limited",
    53503: "draft failed the publishing check",
    53504: "draft must be used in the console",
    53505: "draft must be saved first",
    61004: "access clientip is not registered",
    65303: "there is no default menu",
    65304: "there is no match rule",
    89503: "this ip needs the administrator's confirmation",
}


class ApiError(Exception):
    """A refusal: its code, and words that say more than the code's own where that helps."""

    def __init__(self, code: int, words: str = "") -> None:
        """Without `words` WeChat's own for the code are used."""
        super().__init__(words or _WORDS.get(code, "unknown error"))
        self.code = code


def refusal(error: ApiError) -> dict[str, object]:
    """The answer's body. The rid differs each time, so nobody can match on the words."""
    rid = "-".join(secrets.token_hex(4) for _ in range(3))
    return {"errcode": error.code, "errmsg": f"{error} rid: {rid}"}
