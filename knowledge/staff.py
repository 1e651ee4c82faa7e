"""Members of staff: adding and changing them, who signs in, and their sessions."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete
from sqlmodel import Session, col, select

from knowledge import audit
from knowledge.audit import COMMAND_LINE
from knowledge.errors import InvalidInput, NotFound
from knowledge.models import Role, StaffMember, StaffSession
from knowledge.passwords import hash_password, verify_password

ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=15)
# However busy a session is, it ends after this long; leaving the browser idle ends it sooner (admin.auth).
LONGEST_SESSION = timedelta(hours=12)
_STEP_S = 30  # RFC 6238
_ISSUER = "法问工作台"


def add(
    session: Session, name: str, password: str, role: Role, now: datetime, *, actor: str = COMMAND_LINE
) -> StaffMember:
    """Add a member; InvalidInput for a name that is taken or empty, or a password that is too short."""
    name = name.strip()
    if not 0 < len(name) <= 50:
        raise InvalidInput("姓名应为1至50个字符")
    if _named(session, name):
        raise InvalidInput(f"已有名为{name}的人员；要改密码请用“重设密码”或 fawen staff password")
    member = StaffMember(name=name, role=role, password_hash=hash_password(password), created_at=now)
    session.add(member)
    session.flush()
    _record(session, member, "staff.add", actor, None, now)
    return member


def everybody(session: Session) -> list[StaffMember]:
    """All members, active ones first, by name."""
    rows = session.exec(select(StaffMember).order_by(col(StaffMember.is_active).desc(), col(StaffMember.name)))
    return list(rows.all())


def by_id(session: Session, member_id: int) -> StaffMember:
    """The member with an id; NotFound where there is none."""
    member = session.get(StaffMember, member_id)
    if member is None:
        raise NotFound("没有这名人员")
    return member


def change(session: Session, member_id: int, *, role: Role, is_active: bool, actor: str, now: datetime) -> StaffMember:
    """Give a member another role, or shut or open their access; their sessions end.

    InvalidInput where nobody could sign in as administrator afterwards.
    """
    member = by_id(session, member_id)
    before = _facts(member)
    member.role, member.is_active = role, is_active
    if _facts(member) == before:
        return member
    member.session_epoch += 1
    session.add(member)
    session.flush()
    if not any_administrator(session):
        raise InvalidInput("至少要有一名可以登录的管理员：请先设另一名管理员")
    _record(session, member, "staff.change", actor, before, now)
    return member


def set_password(
    session: Session, name: str, password: str, now: datetime, *, actor: str = COMMAND_LINE
) -> StaffMember:
    """Set a member's password, end their sessions and unlock them; NotFound for an unknown name."""
    member = _named(session, name)
    if member is None:
        raise NotFound(f"没有名为{name}的人员")
    member.password_hash = hash_password(password)
    member.session_epoch += 1
    member.failed_sign_ins, member.locked_until = 0, None
    session.add(member)
    _record(session, member, "staff.password", actor, _facts(member), now)
    return member


def change_own_password(session: Session, member: StaffMember, current: str, new: str, now: datetime) -> StaffMember:
    """A member sets their own password; InvalidInput where the current one is wrong or the new one unfit."""
    if not verify_password(current, member.password_hash):
        raise InvalidInput("当前密码不对")
    if current == new:
        raise InvalidInput("新密码与当前密码相同")
    return set_password(session, member.name, new, now, actor=member.name)


def sign_in(session: Session, name: str, password: str, now: datetime) -> StaffMember | None:
    """The member whose name and password these are, or None.

    After ATTEMPTS failures in a row the name is locked for LOCKED_FOR; a locked member is refused whatever
    the password, and the caller is told nothing more than that it failed. For a member with a second factor
    the failures are forgotten only once its code is right too (`check_code`).
    """
    member = _named(session, name)
    if member and is_locked(member, now):
        verify_password(password, None)
        return None
    if verify_password(password, member.password_hash if member and member.is_active else None):
        assert member is not None
        if member.totp_secret is None:
            _forget_failures(session, member)
        return member
    if member:
        _count_failure(session, member, now)
    return None


def is_locked(member: StaffMember, now: datetime) -> bool:
    """Whether too many failures have shut the name for a while."""
    return bool(member.locked_until and member.locked_until > now)


def check_code(session: Session, member: StaffMember, code: str, now: datetime) -> bool:
    """Whether a six-digit code is right now for the member's second factor; each code works once.

    A wrong one counts like a wrong password.
    """
    if member.totp_secret is None or is_locked(member, now):
        return False
    step = _matching_step(member.totp_secret, code, now)
    if step is None or step <= member.totp_last_step:
        _count_failure(session, member, now)
        return False
    member.totp_last_step = step
    _forget_failures(session, member)
    return True


def propose_second_factor(session: Session, member: StaffMember) -> str:
    """A secret for an authenticator app, kept until a code confirms it; the one proposed before, if any."""
    if member.totp_pending is None:
        member.totp_pending = pyotp.random_base32()
        session.add(member)
    return member.totp_pending


def second_factor_address(member: StaffMember, secret: str) -> str:
    """The `otpauth://` address an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=member.name, issuer_name=_ISSUER)


def confirm_second_factor(session: Session, member: StaffMember, code: str, now: datetime) -> None:
    """Switch the second factor on; InvalidInput where the code does not fit the proposed secret."""
    if member.totp_pending is None:
        raise InvalidInput("请先点“开始设置”，再输入验证码")
    step = _matching_step(member.totp_pending, code, now)
    if step is None:
        raise InvalidInput("验证码不对：请核对手机时间，输入应用里正在显示的6位数字")
    before = _facts(member)
    member.totp_secret, member.totp_pending, member.totp_last_step = member.totp_pending, None, step
    session.add(member)
    _record(session, member, "staff.second_factor_on", member.name, before, now)


def remove_second_factor(session: Session, member: StaffMember, actor: str, now: datetime) -> None:
    """Switch the second factor off (a lost phone); the member's sessions end."""
    before = _facts(member)
    member.totp_secret, member.totp_pending = None, None
    member.session_epoch += 1
    session.add(member)
    _record(session, member, "staff.second_factor_off", actor, before, now)


def begin_session(session: Session, member: StaffMember, now: datetime) -> str:
    """A new session of a member; gives what the browser is to carry. Sessions long over are cleared away."""
    assert member.id is not None
    session.execute(delete(StaffSession).where(col(StaffSession.began_at) < now - LONGEST_SESSION))
    key = secrets.token_urlsafe(32)
    session.add(StaffSession(key=_hashed(key), member_id=member.id, epoch=member.session_epoch, began_at=now))
    session.flush()
    return key


def end_session(session: Session, key: str) -> None:
    """End one session: its cookie is void from now on, wherever a copy of it lies."""
    session.execute(delete(StaffSession).where(col(StaffSession.key) == _hashed(key)))


def signed_in(session: Session, key: str, now: datetime) -> StaffMember | None:
    """The active member of a session, unless it was ended or is too old."""
    found = session.get(StaffSession, _hashed(key))
    if found is None or found.began_at <= now - LONGEST_SESSION:
        return None
    member = session.get(StaffMember, found.member_id)
    return member if member and member.is_active and member.session_epoch == found.epoch else None


def any_administrator(session: Session) -> bool:
    """Whether somebody can sign in as administrator."""
    rows = session.exec(select(StaffMember.id).where(StaffMember.role == Role.ADMINISTRATOR, StaffMember.is_active))
    return rows.first() is not None


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    """The time step a code belongs to: the present one, or one before or after for a clock that is off."""
    digits = "".join(code.split())
    if len(digits) != 6 or not digits.isascii() or not digits.isdecimal():
        return None
    present = int(now.timestamp()) // _STEP_S
    generator = pyotp.TOTP(secret)
    steps = (present, present - 1, present + 1)
    return next((step for step in steps if hmac.compare_digest(generator.at(step * _STEP_S), digits)), None)


def _count_failure(session: Session, member: StaffMember, now: datetime) -> None:
    member.failed_sign_ins += 1
    if member.failed_sign_ins >= ATTEMPTS:
        member.failed_sign_ins, member.locked_until = 0, now + LOCKED_FOR
    session.add(member)


def _forget_failures(session: Session, member: StaffMember) -> None:
    member.failed_sign_ins, member.locked_until = 0, None
    session.add(member)


def _hashed(key: str) -> str:
    # Who reads the database (a backup) must not be able to make a cookie from it.
    return hashlib.sha256(key.encode()).hexdigest()


def _facts(member: StaffMember) -> dict[str, object]:
    return {
        "role": str(member.role),
        "is_active": member.is_active,
        "second_factor": member.totp_secret is not None,
    }


def _record(
    session: Session, member: StaffMember, action: str, actor: str, before: dict[str, object] | None, now: datetime
) -> None:
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=f"staff {member.name}",
        before=before,
        after=_facts(member),
        now=now,
    )


def _named(session: Session, name: str) -> StaffMember | None:
    return session.exec(select(StaffMember).where(StaffMember.name == name.strip())).first()
