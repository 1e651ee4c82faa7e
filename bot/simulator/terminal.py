"""A chat with the running bot in the terminal."""

from collections.abc import Callable

from bot.simulator import phone
from bot.simulator.account import FAULT, NotReachable, Received, SimulatedAccount

HELP = (
    "直接输入就是发消息；:1 点回复里的〔1〕；:关注 :取关 :语音 :图片 是这些动作；:重发 把上一条再推送一次；"
    ":退出 结束；:帮助 看这段话"
)


def chat(account: SimulatedAccount, openid: str, read: Callable[[], str | None], write: Callable[[str], None]) -> None:
    """Talk until `read` gives None or :退出. A server that does not answer ends it with what to do."""
    write(HELP)
    taps: list[phone.Tap] = []
    while (line := read()) is not None:
        try:
            received = _perform(account, openid, line.strip(), taps, write)
        except NotReachable as error:
            write(f"连不上 {error}：请先在另一个窗口运行 fawen serve")
            return
        if received is None:
            if line.strip() == ":退出":
                return
            continue
        if received.fault is not None:
            write(f"〔{FAULT}〕（原因：{received.fault}）")
        elif received.text:
            shown, taps = phone.show(received.text)
            write(f"公众号：{shown}\n")
        else:
            write("（没有回复）")


def _perform(
    account: SimulatedAccount, openid: str, line: str, taps: list[phone.Tap], write: Callable[[str], None]
) -> Received | None:
    """What the user does; None where nothing was sent."""
    if not line.startswith((":", "：")):
        return account.text(openid, line) if line else None
    word = line[1:].strip()
    if word.isdecimal():
        if not 1 <= int(word) <= len(taps):
            write(f"上一条回复里没有〔{word}〕")
            return None
        tap = taps[int(word) - 1]
        write(f"（点了“{tap.label}”）")
        return account.text(openid, tap.text, tap.menu_id)
    match word:
        case "关注":
            return account.event(openid, "subscribe")
        case "取关":
            return account.event(openid, "unsubscribe")
        case "语音":
            return account.message(openid, "voice", MediaId="m", Format="amr")
        case "图片":
            return account.message(openid, "image", PicUrl="http://127.0.0.1/", MediaId="m")
        case "重发":
            return account.again()
        case "退出":
            return None
    write(HELP)
    return None
