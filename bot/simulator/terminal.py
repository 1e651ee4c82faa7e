"""A chat with the running bot in the terminal."""

from collections.abc import Callable
from datetime import timedelta

from bot.simulator import phone, pushes
from bot.simulator.account import Bubble, NotFollowing, NothingToTap, Side, SimulatedAccount, SimulatedUser
from bot.simulator.pushes import PushBody
from bot.simulator.verdicts import FAULT

HELP = """直接输入就是发消息；以冒号开头的是动作：
  :1             点回复里的〔1〕              :菜单 KEY      点类型为click的菜单
  :关注 [场景]   关注，或扫带场景的码关注     :取关          取消关注
  :扫码 场景     已关注的人扫码               :语音 [文字]   发语音，可带识别出的文字
  :图片 :视频 :位置 :链接 :表情               发这些；表情等微信只说“不支持的消息类型”
  :重发          微信把上一条再推送一次       :用户 [名字]   换一个人；不带名字是列出
  :额度          还可主动发几条客服消息       :报文          看上一次往来的原始XML
  :验证          像公众平台后台那样验证网址   :帮助 :退出    空行：看有没有新消息"""

_SENT: dict[str, Callable[[], PushBody]] = {
    "图片": pushes.image,
    "视频": pushes.video,
    "位置": pushes.location,
    "链接": pushes.link,
    "表情": pushes.sticker,
}
_LABELS = {
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "music": "音乐",
    "transfer_customer_service": "转人工客服",
}


class Terminal:
    """One person at a keyboard, playing one user after another."""

    def __init__(self, account: SimulatedAccount, user: SimulatedUser, write: Callable[[str], None]) -> None:
        """`write` shows a line."""
        self._account = account
        self._user = user
        self._write = write
        self._seen = len(account.bubbles())

    @property
    def prompt(self) -> str:
        """Whose turn it is to type."""
        return f"{self._user.name}："

    def obey(self, line: str) -> bool:
        """Do what a line says and show what came of it; False where it ends the chat."""
        words = line.strip()
        if words in (":退出", "：退出"):
            return False
        try:
            if words.startswith((":", "：")):
                self._act(*_split(words[1:]))
            elif words:
                self._user.says(words)
        except NotFollowing:
            self._write("（还没有关注，发不了消息：先输入 :关注）")
        except NothingToTap as error:
            self._write(f"（{error}）")
        self._catch_up()
        return True

    def _act(self, verb: str, rest: str) -> None:
        user = self._user
        if verb.isdecimal():
            number = int(verb)
            if 1 <= number <= len(user.offered):
                self._write(f"（点了“{user.offered[number - 1].label}”）")
            user.taps(number)
            return
        if verb in _SENT:
            user.sends(_SENT[verb](), f"〔{verb}〕")
            return
        match verb:
            case "关注":
                user.follows(rest or None)
            case "取关":
                user.unfollows()
            case "扫码":
                user.scans(rest or "simulated")
            case "菜单":
                user.clicks(rest)
            case "语音":
                user.sends(pushes.voice(rest), "〔语音〕")
            case "重发":
                if user.resends() is None:
                    self._write("（还没有发送过消息）")
            case "用户":
                self._switch(rest)
            case _:
                self._look(verb)

    def _look(self, verb: str) -> None:
        match verb:
            case "额度":
                self._show_allowance()
            case "报文":
                self._show_exchange()
            case "验证":
                refused = self._account.check_url()
                self._write(f"（网址验证没有通过：{refused}）" if refused else "（网址验证通过）")
            case _:
                self._write(HELP)

    def _switch(self, name: str) -> None:
        if name:
            self._user = self._account.user(name)
        names = [f"〔{one.name}〕" if one is self._user else one.name for one in self._account.users()]
        self._write(f"（现在是：{' '.join(names)}）")

    def _show_allowance(self) -> None:
        now = self._account.now()
        grants = self._user.allowance.open(now)
        for grant in grants:
            left = _minutes(grant.until - now)
            self._write(f"（因{grant.trigger.label}：还可主动发{grant.left}条，{left}内有效）")
        if not grants:
            self._write("（现在不能主动给这个人发客服消息：要等他发消息、点菜单、关注或扫码）")

    def _show_exchange(self) -> None:
        last = next((one.exchange for one in reversed(self._account.bubbles(self._user.openid)) if one.exchange), None)
        if last is None:
            self._write("（还没有往来）")
            return
        exchange = self._account.exchange(last)
        self._write(f"推送（解密后）：\n{exchange.clear}")
        for number, attempt in enumerate(exchange.attempts, 1):
            self._write(f"第{number}次请求：{attempt.query}\n{attempt.body}")
            outcome = attempt.fault or "接受"
            self._write(f"回应 {attempt.status}，{attempt.took_s * 1000:.0f}毫秒，{outcome}：\n{attempt.answer}")
            if attempt.clear and attempt.clear != attempt.answer:
                self._write(f"回应（解密后）：\n{attempt.clear}")

    def _catch_up(self) -> None:
        """Show what has come since, for this user; what others received waits in their chats."""
        for bubble in self._account.bubbles(after=self._seen):
            self._seen = bubble.number
            if bubble.openid == self._user.openid:
                for line in _lines(bubble, self._account):
                    self._write(line)


def _lines(bubble: Bubble, account: SimulatedAccount) -> list[str]:
    match bubble.side:
        case Side.USER:
            return []
        case Side.ACCOUNT | Side.PUSHED:
            sender = "公众号" if bubble.side is Side.ACCOUNT else "公众号（主动发来）"
            shown = phone.numbered(bubble.text) or _LABELS.get(bubble.kind, "")
            listed = "".join(f"\n  《{article.title}》 {article.url}" for article in bubble.articles)
            return [f"{sender}：{shown}{listed}\n"]
    match bubble.kind:
        case "fault":
            lines = [f"〔{FAULT}〕（原因：{bubble.fault}）"]
            if bubble.exchange and account.exchange(bubble.exchange).is_unreachable:
                lines.append(f"连不上 {account.url}：请先在另一个窗口运行 fawen serve")
            return lines
        case "silence":
            return ["（没有回复）"]
    return [f"（{bubble.text}）"]


def _split(words: str) -> tuple[str, str]:
    verb, _, rest = words.strip().partition(" ")
    return verb, rest.strip()


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60}小时{minutes % 60}分" if minutes >= 60 else f"{int(span.total_seconds())}秒"


def chat(
    account: SimulatedAccount, user: SimulatedUser, read: Callable[[str], str | None], write: Callable[[str], None]
) -> None:
    """Talk until `read`, which is given the prompt, gives None or somebody types :退出."""
    write(HELP)
    terminal = Terminal(account, user, write)
    while (line := read(terminal.prompt)) is not None:
        if not terminal.obey(line):
            return
