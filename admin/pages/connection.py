"""微信连接: whether WeChat and this server reach each other, looked at when asked, told in plain words."""

from fastapi import APIRouter, Request, Response

from admin.auth import Administrator, OwnForm
from admin.rendering import page

router = APIRouter()


@router.get("/settings/connection")
def show_connection(request: Request, member: Administrator) -> Response:
    """The button, and what will be looked at."""
    return page(request, "settings/connection.html", member=member, findings=None)


@router.post("/settings/connection", dependencies=[OwnForm])
def check_connection(request: Request, member: Administrator) -> Response:
    """Look at everything now; nothing is sent to anybody and nothing is kept."""
    findings = request.app.state.bot.check_connection()
    return page(request, "settings/connection.html", member=member, findings=findings)
