"""人员提醒: by which channels staff are told of urgent and open inquiries, and what became of each alert."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from admin.auth import Administrator, OwnForm, Reading, Transaction
from admin.bot_side import NotDone
from admin.rendering import page
from knowledge import alert_settings, alerts
from knowledge.alert_settings import Email
from knowledge.errors import InvalidInput, NotFound, SecretUnreadable, SettingMoved
from knowledge.models import AlertChannel, StaffMember

router = APIRouter()
_BLANK = Email(host="", port=465, security="tls", user="", password="", sender="", recipients=())


@router.get("/settings/alerts")
def show_alerts(request: Request, member: Administrator, session: Reading) -> Response:
    """The channels and the newest alerts."""
    return _show(request, session, member, done=request.query_params.get("done", ""))


@router.post("/settings/alerts/email", dependencies=[OwnForm])
def save_email(
    request: Request,
    member: Administrator,
    session: Transaction,
    host: Annotated[str, Form()] = "",
    port: Annotated[str, Form()] = "",
    security: Annotated[str, Form()] = "",
    user: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    sender: Annotated[str, Form()] = "",
    recipients: Annotated[str, Form()] = "",
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Alert by e-mail through this server."""
    email = Email(
        host=host.strip(),
        port=int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 else 0,
        security=security,
        user=user.strip(),
        password=password,
        sender=sender.strip(),
        recipients=tuple(recipients.split()),
    )
    now = request.app.state.now()
    try:
        with session.begin_nested():
            alert_settings.save_email(
                session, request.app.state.encryption, email, against=against, actor=member.name, now=now
            )
            alerts.renew(session, AlertChannel.EMAIL, now)
    except (InvalidInput, SettingMoved) as error:
        return _show(request, session, member, email=email, errors={AlertChannel.EMAIL: error})
    return _see(request, "saved")


@router.post("/settings/alerts/robot", dependencies=[OwnForm])
def save_robot(
    request: Request,
    member: Administrator,
    session: Transaction,
    address: Annotated[str, Form()] = "",
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Alert a group by its robot."""
    now = request.app.state.now()
    try:
        with session.begin_nested():
            alert_settings.save_robot(
                session,
                request.app.state.encryption,
                address.strip(),
                origin=request.app.state.bot.robot_origin,
                against=against,
                actor=member.name,
                now=now,
            )
            alerts.renew(session, AlertChannel.ROBOT, now)
    except (InvalidInput, SettingMoved) as error:
        return _show(request, session, member, errors={AlertChannel.ROBOT: error})
    return _see(request, "saved")


@router.post("/settings/alerts/hour", dependencies=[OwnForm])
def save_daily_hour(
    request: Request,
    member: Administrator,
    session: Transaction,
    hour: Annotated[int, Form()] = alert_settings.DAILY_HOUR,
    against: Annotated[int, Form()] = 0,
) -> Response:
    """From which hour the daily list is sent."""
    try:
        alert_settings.save_daily_hour(session, hour, against=against, actor=member.name, now=request.app.state.now())
    except (InvalidInput, SettingMoved) as error:
        return _show(request, session, member, errors={"hour": error})
    return _see(request, "saved")


@router.post("/settings/alerts/{channel}/test", dependencies=[OwnForm])
def send_test(request: Request, channel: str, member: Administrator) -> Response:
    """Send a test now, outside of any unit of work, and say how it went."""
    chosen = _channel(channel)
    try:
        request.app.state.bot.send_trial(chosen)
    except NotDone as error:
        with request.app.state.database.reading() as session:
            return _show(request, session, member, errors={chosen: InvalidInput(f"测试没有发出：{error}")})
    return _see(request, f"tested-{chosen}")


@router.post("/settings/alerts/{channel}/removal", dependencies=[OwnForm])
def remove_channel(
    request: Request,
    channel: str,
    member: Administrator,
    session: Transaction,
    against: Annotated[int, Form()] = 0,
) -> Response:
    """Alert nobody by this channel any more."""
    chosen = _channel(channel)
    try:
        alert_settings.remove(session, chosen, against=against, actor=member.name, now=request.app.state.now())
        alerts.drop(session, chosen)
    except SettingMoved as error:
        return _show(request, session, member, errors={chosen: error})
    return _see(request, "removed")


def _show(
    request: Request,
    session: Session,
    member: StaffMember,
    *,
    email: Email | None = None,
    errors: dict[str, InvalidInput | SettingMoved] | None = None,
    done: str = "",
) -> Response:
    """The page; the stored secrets are never in it, and neither is a password that was just typed."""
    errors = errors or {}
    kept = alert_settings.kept(session)
    stored = kept.data.get("email")
    status = 200
    if errors:
        status = 409 if any(isinstance(one, SettingMoved) for one in errors.values()) else 422
    return page(
        request,
        "settings/alerts.html",
        status=status,
        member=member,
        kept=kept,
        email=_fields(email) if email else (stored or _fields(_BLANK)),
        has_email=stored is not None,
        has_password=bool(stored and stored["password"]),
        has_robot=bool(kept.data.get("robot")),
        hour=kept.data.get("daily_hour", alert_settings.DAILY_HOUR),
        securities=alert_settings.SECURITY,
        robot_origin=request.app.state.bot.robot_origin,
        errors={name: str(errors.get(name, "")) for name in (*AlertChannel, "hour")},
        done=done,
        newest=alerts.newest(session),
        unreadable=_unreadable(request, session),
    )


def _unreadable(request: Request, session: Session) -> str:
    """Why no alert can be sent: the stored secrets are another key's; empty where they can be read."""
    try:
        alert_settings.load(session, request.app.state.encryption)
    except SecretUnreadable as error:
        return str(error)
    return ""


def _fields(email: Email) -> dict[str, object]:
    return {
        "host": email.host,
        "port": email.port or "",
        "security": email.security,
        "user": email.user,
        "sender": email.sender,
        "recipients": email.recipients,
    }


def _channel(name: str) -> AlertChannel:
    try:
        return AlertChannel(name)
    except ValueError as error:
        raise NotFound(f"没有“{name[:20]}”这种提醒方式") from error


def _see(request: Request, done: str) -> Response:
    return RedirectResponse(f"{request.url_for('show_alerts').path}?done={done}", status_code=303)
