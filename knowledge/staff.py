"""Members of staff: adding and changing them, who signs in, and their sessions."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import delete
from sqlmodel import Session, col, select

from knowledge import audit, throttle
from knowledge.audit import COMMAND_LINE
from knowledge.encryption import Encryption, Renewal
from knowledge.errors import InvalidInput, NotFound, SecretUnreadable
from knowledge.models import Role, StaffMember, StaffSession
from knowledge.passwords import hash_password, verify_password

# Within throttle.WINDOW: passwords for one name from one place, and codes for one member from anywhere.
ATTEMPTS = 5
# From so many attempts for one name, from wherever, each further one is kept waiting a little longer.
_UNHURRIED = 10
_WAIT_STEP_S, _LONGEST_WAIT_S = 0.5, 5.0
_NO_LIMIT = 1_000_000_000
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
    if named(session, name):
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
    """Set a member's password and end their sessions; NotFound for an unknown name."""
    member = named(session, name)
    if member is None:
        raise NotFound(f"没有名为{name}的人员")
    member.password_hash = hash_password(password)
    member.session_epoch += 1
    session.add(member)
    _record(session, member, "staff.password", actor, _facts(member), now)
    return member


def change_own_password(session: Session, member: StaffMember, current: str, new: str, now: datetime) -> StaffMember:
    """A member sets their own password; InvalidInput where the current one is wrong or the new one unfit."""
    guesses = f"own password {member.id}"
    if not throttle.take(session, guesses, ATTEMPTS, now):
        raise InvalidInput("当前密码输错次数过多，请15分钟后再试")
    if not verify_password(current, member.password_hash):
        raise InvalidInput("当前密码不对")
    throttle.forget(session, guesses)
    if current == new:
        raise InvalidInput("新密码与当前密码相同")
    return set_password(session, member.name, new, now, actor=member.name)


def count_attempt(session: Session, name: str, source: str, now: datetime) -> bool:
    """Count an attempt to sign in as `name` from `source` (an address, or a browser known from before).

    False, for a name that nobody has too, where that many failed from there already. What comes from elsewhere never
    shuts anybody out: it only makes others wait (`wait_s`), so a colleague cannot be locked out by name.
    """
    if not throttle.take(session, _place(name, source), ATTEMPTS, now):
        return False
    throttle.take(session, _anywhere(name), _NO_LIMIT, now)
    return True


def wait_s(session: Session, name: str, now: datetime) -> float:
    """How long, in seconds, an attempt for a name is kept waiting, after many for it from wherever they came."""
    return min(_WAIT_STEP_S * max(0, attempts(session, name, now) - _UNHURRIED), _LONGEST_WAIT_S)


def attempts(session: Session, name: str, now: datetime) -> int:
    """How many attempts to sign in as `name` were made lately, from wherever."""
    return throttle.count(session, _anywhere(name), now)


def named(session: Session, name: str) -> StaffMember | None:
    """The member of a name, if there is one."""
    return session.exec(select(StaffMember).where(StaffMember.name == name.strip())).first()


def is_password_of(member: StaffMember | None, password: str) -> bool:
    """Whether a password is that of an active member; takes as long where there is none."""
    return verify_password(password, member.password_hash if member and member.is_active else None)


def forget_attempts(session: Session, name: str, source: str) -> None:
    """The password was right: what failed from that place before is forgotten."""
    throttle.forget(session, _place(name, source))


def check_code(session: Session, encryption: Encryption, member: StaffMember, code: str, now: datetime) -> bool:
    """Whether a six-digit code is right now for the member's second factor; each code works once.

    After ATTEMPTS wrong ones the member is refused for a while, from wherever they came: whoever gets here has the
    password, so a name alone shuts nobody out. SecretUnreadable where the secret key was changed.
    """
    if member.totp_secret is None or not throttle.take(session, _codes(member), ATTEMPTS, now):
        return False
    step = _matching_step(encryption.decrypt(member.totp_secret), code, now)
    if step is None or step <= member.totp_last_step:
        return False
    member.totp_last_step = step
    session.add(member)
    throttle.forget(session, _codes(member))
    return True


def propose_second_factor(session: Session, encryption: Encryption, member: StaffMember) -> str:
    """A secret for an authenticator app, kept until a code confirms it; the one proposed before, if any."""
    proposed = pending_secret(encryption, member)
    if proposed is None:
        proposed = pyotp.random_base32()
        member.totp_pending = encryption.encrypt(proposed)
        session.add(member)
    return proposed


def pending_secret(encryption: Encryption, member: StaffMember) -> str | None:
    """The secret that was proposed and not confirmed yet; one that cannot be read any more is none."""
    if member.totp_pending is None:
        return None
    try:
        return encryption.decrypt(member.totp_pending)
    except SecretUnreadable:
        return None  # nothing rests on it: a new one is proposed


def renew_second_factors(session: Session, encryption: Encryption) -> Renewal:
    """Bring the secrets under the key in force: those under the previous one, and those an earlier version left plain.

    Migrations have no key: a server does this when it starts.
    """
    renewal = Renewal()
    for member in session.exec(select(StaffMember).with_for_update()):
        if member.totp_secret is not None:
            member.totp_secret = renewal.of(encryption, member.totp_secret)
        if member.totp_pending is not None:
            member.totp_pending = renewal.of(encryption, member.totp_pending)
        session.add(member)
    return renewal


def second_factor_address(member: StaffMember, secret: str) -> str:
    """The `otpauth://` address an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=member.name, issuer_name=_ISSUER)


def confirm_second_factor(
    session: Session, encryption: Encryption, member: StaffMember, code: str, now: datetime
) -> None:
    """Switch the second factor on; InvalidInput where the code does not fit the proposed secret."""
    proposed = pending_secret(encryption, member)
    if proposed is None:
        raise InvalidInput("请先点“开始设置”，再输入验证码")
    step = _matching_step(proposed, code, now)
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


def _place(name: str, source: str) -> str:
    return f"sign-in {name.strip()} from {source}"


def _anywhere(name: str) -> str:
    return f"sign-in {name.strip()}"


def _codes(member: StaffMember) -> str:
    return f"code {member.id}"


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
