"""Kinds of official account and what each may do (wechat.md §3.6)."""

from enum import StrEnum


class Permission(StrEnum):
    """A group of interfaces that an account has or lacks as a whole."""

    CUSTOM_MESSAGES = "custom messages"
    MENU = "menu"
    USERS = "users"
    TEMPLATES = "templates"
    PUBLISHING = "publishing"


class AccountKind(StrEnum):
    """公众号 (formerly 订阅号) and 服务号, each verified by WeChat or not, and the 测试号 of a developer."""

    SUBSCRIPTION = "subscription"
    VERIFIED_SUBSCRIPTION = "verified-subscription"
    SERVICE = "service"
    VERIFIED_SERVICE = "verified-service"
    TEST = "test"

    @property
    def label(self) -> str:
        """The kind's name in Chinese."""
        return _LABELS[self]

    def may(self, permission: Permission) -> bool:
        """Whether accounts of this kind have these interfaces. Receiving and passive replies every kind has."""
        return permission in _PERMISSIONS[self]

    @property
    def tells_which_link_was_tapped(self) -> bool:
        """Whether a tap's `bizmsgmenuid` reaches the webhook: test accounts are said to drop it (wechat.md §1.7)."""
        return self is not AccountKind.TEST


_LABELS = {
    AccountKind.SUBSCRIPTION: "未认证公众号",
    AccountKind.VERIFIED_SUBSCRIPTION: "已认证公众号",
    AccountKind.SERVICE: "未认证服务号",
    AccountKind.VERIFIED_SERVICE: "已认证服务号",
    AccountKind.TEST: "测试号",
}
_PERMISSIONS = {
    AccountKind.SUBSCRIPTION: frozenset[Permission](),
    AccountKind.VERIFIED_SUBSCRIPTION: frozenset(
        {Permission.CUSTOM_MESSAGES, Permission.MENU, Permission.USERS, Permission.PUBLISHING}
    ),
    AccountKind.SERVICE: frozenset({Permission.MENU}),
    AccountKind.VERIFIED_SERVICE: frozenset(Permission),
    # "Almost all interfaces", so that what works there proves nothing for an unverified account (wechat.md §3.5).
    AccountKind.TEST: frozenset(Permission) - {Permission.PUBLISHING},
}
