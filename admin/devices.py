"""Browsers in which a member has signed in before, and where an attempt to sign in comes from.

Such a browser keeps a signed cookie. Attempts from it are counted apart from all others, so that whoever tries
passwords from the same address (one office, one proxy) neither shuts the member out nor makes them wait.
"""

import ipaddress
import secrets

from fastapi import Request, Response
from itsdangerous import BadData, URLSafeSerializer

from knowledge.models import StaffMember

_COOKIE = "fawen_device"
_KEPT_S = 180 * 24 * 3600


class Devices:
    """Remembers browsers by a cookie and recognises them."""

    def __init__(self, secret_key: str, *, is_secure: bool) -> None:
        """`is_secure`: the workbench is served by HTTPS."""
        self._serializer = URLSafeSerializer(secret_key, salt="fawen device")
        self._is_secure = is_secure

    def remember(self, request: Request, response: Response, member: StaffMember) -> None:
        """Let the browser be known as one in which this member has signed in."""
        if self.known(request, member) is not None:
            return
        cookie = self._serializer.dumps([member.id, secrets.token_urlsafe(16)])
        response.set_cookie(
            _COOKIE,
            cookie if isinstance(cookie, str) else cookie.decode(),
            max_age=_KEPT_S,
            path="/admin",
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )

    def known(self, request: Request, member: StaffMember | None) -> str | None:
        """The name of the browser, if this member has signed in with it before."""
        try:
            found = self._serializer.loads(request.cookies.get(_COOKIE, ""))
        except BadData:
            return None
        match found:
            case [int() as member_id, str() as name] if member is not None and member.id == member_id:
                return name
        return None

    def source(self, request: Request, member: StaffMember | None) -> str:
        """Where an attempt comes from: a known browser, or an address (of IPv6 the network of one customer)."""
        name = self.known(request, member)
        if name is not None:
            return f"browser {name}"
        host = request.client.host if request.client else ""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return "somewhere"
        return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))
