"""What can be wrong with a push, and with a call to WeChat's API.

WeChatError
├── EnvelopeError
│   ├── InvalidSignature    not from WeChat, or not for this account: 403
│   ├── StalePush           signed too long ago (or ahead): 403
│   └── UnreadableMessage   no message can be read from it; `verified` tells whether it is WeChat's
└── CallError               a call to the API did not do what was asked
    ├── ApiRefused          WeChat refused it, with an errcode: surely not done
    ├── NotReached          WeChat was not reached: surely not done, may be tried again
    └── OutcomeUnknown      it may have been done: a send must not be repeated
"""

from dataclasses import dataclass
from enum import Enum, auto


class WeChatError(Exception):
    """Anything wrong on the WeChat side; the text says what was wrong and what to do."""


class EnvelopeError(WeChatError):
    """A push that cannot be opened."""


class InvalidSignature(EnvelopeError):
    """The signature does not fit the token, or the push is not encrypted where it must be."""


class StalePush(EnvelopeError):
    """The push's timestamp lies outside the window."""


class UnreadableMessage(EnvelopeError):
    """No message can be read from the push."""

    def __init__(self, why: str, *, verified: bool) -> None:
        """`verified`: the signature was right, so WeChat sent it and must not send it again."""
        super().__init__(why)
        self.verified = verified


class Reaction(Enum):
    """What to do about a refusal."""

    RENEW_TOKEN = auto()  # get a new access token once, then give up
    RETRY = auto()  # once more at once
    LATER = auto()  # passing: try again after a while
    CLOSED = auto()  # nothing more to this asker until he writes again
    STOP = auto()  # nothing at all until an administrator has changed something
    NEVER = auto()  # this very call can never succeed


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an errcode means, in words for the administrator, and what to do about it."""

    words: str
    reaction: Reaction


# https://developers.weixin.qq.com/doc/oplatform/developers/errCode/ and wechat.md §3.2, with its sources; 89501, 89506,
# 89507, 50004 and 50007 from memory of the page on stable_token.
MEANINGS = {
    -1: Meaning("微信服务器繁忙", Reaction.RETRY),
    40001: Meaning("access_token 无效：AppSecret 可能已重置，或该凭证已被别的程序刷新", Reaction.RENEW_TOKEN),
    40014: Meaning("access_token 不合法", Reaction.RENEW_TOKEN),
    42001: Meaning("access_token 已过期", Reaction.RENEW_TOKEN),
    40003: Meaning("openid 不属于这个公众号：请核对 FAWEN_WECHAT_APP_ID", Reaction.NEVER),
    40013: Meaning("AppID 不正确：请核对 FAWEN_WECHAT_APP_ID 与公众平台“基本配置”中的 AppID", Reaction.STOP),
    40125: Meaning("AppSecret 不正确：请在公众平台“基本配置”中重置后填入 FAWEN_WECHAT_APP_SECRET", Reaction.STOP),
    41002: Meaning("缺少 AppID：请设置 FAWEN_WECHAT_APP_ID", Reaction.STOP),
    41004: Meaning("缺少 AppSecret：请设置 FAWEN_WECHAT_APP_SECRET", Reaction.STOP),
    40164: Meaning("本机 IP 不在白名单：请把下面报错里的 IP 加入公众平台“基本配置→IP白名单”", Reaction.STOP),
    61004: Meaning("本机 IP 不在白名单：请把下面报错里的 IP 加入公众平台“基本配置→IP白名单”", Reaction.STOP),
    40243: Meaning("AppSecret 已被冻结：请在公众平台解冻或重置", Reaction.STOP),
    89503: Meaning("本机 IP 需要公众号管理员在微信中确认；拒绝后一小时内不能再试", Reaction.STOP),
    89501: Meaning("本机 IP 正等待公众号管理员在微信中确认", Reaction.STOP),
    89506: Meaning("公众号管理员两次拒绝了本机 IP，24小时内不能再试", Reaction.STOP),
    89507: Meaning("公众号管理员拒绝了本机 IP，1小时内不能再试", Reaction.STOP),
    50004: Meaning("这个公众号被禁止获取接口凭证：请登录公众平台查看通知", Reaction.STOP),
    50007: Meaning("这个公众号已被冻结：请登录公众平台查看通知", Reaction.STOP),
    43004: Meaning("对方没有关注公众号", Reaction.CLOSED),
    43019: Meaning("对方已被加入黑名单", Reaction.CLOSED),
    48002: Meaning("对方关闭了接收消息", Reaction.CLOSED),
    45015: Meaning("超过可主动发送的时限（对方最近48小时没有来信），等对方下次来信时送达", Reaction.CLOSED),
    45047: Meaning("可主动发送的条数已用完，等对方下次来信时送达", Reaction.CLOSED),
    45002: Meaning("内容过长", Reaction.NEVER),
    45008: Meaning("图文条数超过限制", Reaction.NEVER),
    44004: Meaning("内容为空", Reaction.NEVER),
    47001: Meaning("提交的数据格式不对", Reaction.NEVER),
    45009: Meaning("今天的接口调用次数已用完，明天恢复（每月可在公众平台清零10次）", Reaction.STOP),
    45011: Meaning("调用太频繁", Reaction.LATER),
    48001: Meaning("这个公众号没有该接口的权限（未认证的公众号不能主动发送消息、不能用接口设置菜单）", Reaction.STOP),
    48004: Meaning("接口被封禁：请登录公众平台查看通知", Reaction.STOP),
    50002: Meaning("公众号功能受限：请登录公众平台查看通知", Reaction.STOP),
    40016: Meaning("菜单按钮个数不对：一级1至3个，二级1至5个", Reaction.NEVER),
    40017: Meaning("菜单按钮类型不对", Reaction.NEVER),
    40018: Meaning("菜单名称过长或为空：一级不超过16字节（约5个汉字），二级不超过60字节", Reaction.NEVER),
    40019: Meaning("菜单 key 过长：不超过128字节", Reaction.NEVER),
    40020: Meaning("菜单网址过长：不超过1024字节", Reaction.NEVER),
    40023: Meaning("二级菜单个数不对：1至5个", Reaction.NEVER),
    40024: Meaning("二级菜单类型不对", Reaction.NEVER),
    40025: Meaning("二级菜单名称过长：不超过60字节", Reaction.NEVER),
    40026: Meaning("二级菜单 key 过长：不超过128字节", Reaction.NEVER),
    40027: Meaning("二级菜单网址过长：不超过1024字节", Reaction.NEVER),
    40033: Meaning("内容里有不允许的字符（如 \\u 转义）", Reaction.NEVER),
    40054: Meaning("菜单网址的域名不合法", Reaction.NEVER),
    40055: Meaning("二级菜单网址的域名不合法", Reaction.NEVER),
    46003: Meaning("公众号还没有自定义菜单", Reaction.NEVER),
}
_UNKNOWN = Meaning("微信返回了未收录的错误码，请在微信开发文档“全局返回码”中查询", Reaction.NEVER)


class CallError(WeChatError):
    """A call to the API that did not do what was asked."""


class ApiRefused(CallError):
    """WeChat refused the call."""

    def __init__(self, code: int, errmsg: str) -> None:
        """`errmsg` is WeChat's own text; its rid helps their support, and it names the IP for 40164."""
        self.code = code
        self.errmsg = errmsg
        meaning = MEANINGS.get(code, _UNKNOWN)
        self.reaction = meaning.reaction
        super().__init__(f"{meaning.words}（{code} {errmsg[:200]}）")

    @property
    def is_passing(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.reaction in (Reaction.RETRY, Reaction.LATER, Reaction.RENEW_TOKEN)


class NotReached(CallError):
    """WeChat was not reached; nothing was done."""


class OutcomeUnknown(CallError):
    """The call was sent off, and no answer that can be read came back."""
