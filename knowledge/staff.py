"""Members of staff: adding them, and checking who signs in."""

from datetime import datetime, timedelta

from sqlmodel import Session, select

from knowledge.errors import InvalidInput, NotFound
from knowledge.models import Role, StaffMember
from knowledge.passwords import hash_password, verify_password

ATTEMPTS = 5
LOCKED_FOR = timedelta(minutes=15)


def add(session: Session, name: str, password: str, role: Role, now: datetime) -> StaffMember:
    """Add a member; InvalidInput for a name that is taken or empty, or a password that is too short."""
    name = name.strip()
    if not 0 < len(name) <= 50:
        raise InvalidInput("姓名应为1至50个字符")
    if session.exec(select(StaffMember).where(StaffMember.name == name)).first():
        raise InvalidInput(f"已有名为{name}的人员；要改密码请用 fawen staff password")
    member = StaffMember(name=name, role=role, password_hash=hash_password(password), created_at=now)
    session.add(member)
    session.flush()
    return member


def set_password(session: Session, name: str, password: str) -> None:
    """Set a member's password, end their sessions and unlock them; NotFound for an unknown name."""
    member = _named(session, name)
    if member is None:
        raise NotFound(f"没有名为{name}的人员")
    member.password_hash = hash_password(password)
    member.session_epoch += 1
    member.failed_sign_ins, member.locked_until = 0, None
    session.add(member)


def sign_in(session: Session, name: str, password: str, now: datetime) -> StaffMember | None:
    """The member whose name and password these are, or None.

    After ATTEMPTS failures in a row the name is locked for LOCKED_FOR; a locked member is refused whatever
    the password, and the caller is told nothing more than that it failed.
    """
    member = _named(session, name)
    if member and member.locked_until and member.locked_until > now:
        verify_password(password, None)
        return None
    if verify_password(password, member.password_hash if member and member.is_active else None):
        assert member is not None
        member.failed_sign_ins, member.locked_until = 0, None
        session.add(member)
        return member
    if member:
        member.failed_sign_ins += 1
        if member.failed_sign_ins >= ATTEMPTS:
            member.failed_sign_ins, member.locked_until = 0, now + LOCKED_FOR
        session.add(member)
    return None


def signed_in(session: Session, member_id: int, epoch: int) -> StaffMember | None:
    """The active member of a session cookie, unless their sessions were ended since it was made."""
    member = session.get(StaffMember, member_id)
    return member if member and member.is_active and member.session_epoch == epoch else None


def any_administrator(session: Session) -> bool:
    """Whether somebody can sign in as administrator."""
    rows = session.exec(select(StaffMember.id).where(StaffMember.role == Role.ADMINISTRATOR, StaffMember.is_active))
    return rows.first() is not None


def _named(session: Session, name: str) -> StaffMember | None:
    return session.exec(select(StaffMember).where(StaffMember.name == name.strip())).first()
