"""Scripted conversations: YAML in, a report out. The form is described in this package's README."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bot.simulator import phone, pushes
from bot.simulator.account import (
    Bubble,
    NotFollowing,
    NothingToTap,
    Received,
    Side,
    SimulatedAccount,
    SimulatedUser,
    openid_of,
)
from bot.simulator.kinds import AccountKind
from bot.simulator.pushes import PushBody

SHIPPED = Path(__file__).parent / "scenarios"

# YAML reads 12333 as a number; in a script it is words.
Words = Annotated[str, BeforeValidator(lambda given: str(given) if type(given) in (int, float) else given)]
_ACTIONS = ("says", "taps", "sends", "follows", "unfollows", "scans", "clicks", "event", "resends", "waits_s")
_SENDS: dict[str, PushBody] = {
    "image": pushes.image(),
    "video": pushes.video(),
    "shortvideo": pushes.video(short=True),
    "location": pushes.location(),
    "link": pushes.link(),
    "sticker": pushes.sticker(),
}


class ScenarioError(ValueError):
    """A script that cannot be run as it stands; the text names the file, the step and what is wrong."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expectation(_Form):
    """What a step's reply must be. Texts are looked for in what the phone shows, links by their label."""

    contains: list[Words] = Field(default_factory=list)
    not_contains: list[Words] = Field(default_factory=list)
    # Labels that are tappable, each a part of one.
    choices: list[Words] = Field(default_factory=list)
    no_reply: bool = False
    # The same text as the step before: what a repeated push must get.
    same_reply: bool = False

    @model_validator(mode="before")
    @classmethod
    def one_or_many(cls, given: Any) -> Any:
        """A single text may stand without the list."""
        if not isinstance(given, dict):
            return given
        lists = ("contains", "not_contains", "choices")
        return {
            name: [value] if name in lists and not isinstance(value, list) else value for name, value in given.items()
        }


class Step(_Form):
    """Exactly one thing somebody does (`waits_s`: waits for a pushed message), and what must come of it."""

    user: Words = "张三"
    says: Words | None = None
    # A part of a link's label, or its number in the newest reply with links.
    taps: Annotated[int, Field(ge=1, strict=True)] | str | None = None
    sends: Literal["image", "voice", "video", "shortvideo", "location", "link", "sticker"] | None = None
    recognition: str = ""
    # true, or the scene of a QR code.
    follows: Literal[True] | Words | None = None
    unfollows: Literal[True] | None = None
    scans: Words | None = None
    clicks: Words | None = None
    # Any other event by its name, with its fields.
    event: str | None = None
    fields: dict[str, Words] = Field(default_factory=dict)
    resends: Literal[True] | None = None
    waits_s: Annotated[float, Field(gt=0, le=600)] | None = None
    expects: Expectation = Expectation()
    # Name → regular expression: what it finds in the reply replaces {name} in later steps.
    remembers: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def one_action(self) -> Self:
        """Exactly one action stands in a step."""
        given = [name for name in _ACTIONS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"a step has exactly one of {', '.join(_ACTIONS)}; this one has {given or 'none'}")
        return self

    @property
    def title(self) -> str:
        """The step in a line."""
        action = next(name for name in _ACTIONS if getattr(self, name) is not None)
        value = getattr(self, action)
        shown = "" if value is True else str(value).replace("\n", " ")[:60]
        return f"{self.user} {_TITLES[action]}{shown}"


_TITLES = {
    "says": "说：",
    "taps": "点：",
    "sends": "发送",
    "follows": "关注 ",
    "unfollows": "取消关注",
    "scans": "扫码：",
    "clicks": "点菜单：",
    "event": "事件 ",
    "resends": "的上一条又推送一次",
    "waits_s": "等主动消息，秒数：",
}


class Scenario(_Form):
    """A conversation: who does what in order, and what must come of it."""

    name: str
    kind: AccountKind | None = None
    steps: Annotated[list[Step], Field(min_length=1)]


@dataclass(slots=True)
class ScenarioReport:
    """The steps in order, each with what was not as expected (nothing: passed)."""

    name: str
    steps: list[tuple[str, list[str]]] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many steps failed."""
        return sum(bool(findings) for _, findings in self.steps)

    def lines(self) -> Iterator[str]:
        """The report for people."""
        yield f"场景：{self.name}"
        for number, (title, findings) in enumerate(self.steps, 1):
            yield f"  {'✗' if findings else '✓'} {number}. {title}"
            for finding in findings:
                yield from (f"      {line}" for line in finding.splitlines())
        yield f"  通过{len(self.steps) - self.failed}步，失败{self.failed}步"


def read(path: Path) -> Scenario:
    """A script from a YAML file; ScenarioError with the place of what is wrong."""
    try:
        return Scenario.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part + 1) if isinstance(part, int) else part for part in first["loc"]) or "the file"
        raise ScenarioError(f"{path}: {place}: {first['msg']}") from error


def find(given: str) -> list[Path]:
    """The scripts meant: a file, a folder of them, the name of a shipped one, or `all` the shipped ones."""
    path = Path(given)
    if path.is_dir():
        found = sorted(path.glob("*.yaml"))
        if not found:
            raise ScenarioError(f"{path} holds no .yaml files")
        return found
    if path.is_file():
        return [path]
    shipped = {one.stem: one for one in sorted(SHIPPED.glob("*.yaml"))}
    if given == "all":
        return list(shipped.values())
    if given not in shipped:
        raise ScenarioError(f"{given} is neither a file nor one of the shipped scenarios: all, {', '.join(shipped)}")
    return [shipped[given]]


def play(scenario: Scenario, account: SimulatedAccount) -> ScenarioReport:
    """Play a script against the account's webhook, by people nobody has met before, so that it can be repeated."""
    report = ScenarioReport(scenario.name)
    run = secrets.token_hex(3)
    known: dict[str, str] = {}
    before: Received | None = None
    # The number of the last pushed message that a step waited for.
    heard = 0
    for step in scenario.steps:
        user = account.user(f"{step.user}#{run}", openid_of(step.user + run))
        filled = _filled(step, known)
        try:
            if filled.waits_s is not None:
                pushed = _await_push(account, user, filled.waits_s, heard)
                heard = pushed.number if pushed else heard
                received: Received | str | None = pushed.text if pushed else None
            else:
                received = _act(filled, user)
        except (NotFollowing, NothingToTap) as error:
            report.steps.append((filled.title, [f"做不了：{error}"]))
            continue
        report.steps.append((filled.title, _findings(filled, received, before, known)))
        before = received if isinstance(received, Received) else before
    return report


def _await_push(account: SimulatedAccount, user: SimulatedUser, timeout_s: float, heard: int) -> Bubble | None:
    """The next message pushed to the user since his last own act and since the last one waited for."""
    own = [one.number for one in account.bubbles(user.openid) if one.side is not Side.PUSHED]
    after = max([heard, *own[-1:]])
    return account.wait(lambda one: one.openid == user.openid and one.side is Side.PUSHED, timeout_s, after)


def _act(step: Step, user: SimulatedUser) -> Received | None:
    """What came of it; None where there was nothing to repeat."""
    match step:
        case Step(says=str(text)):
            return user.says(text)
        case Step(taps=str() | int() as where):
            return user.taps(where)
        case Step(sends="voice"):
            return user.sends(pushes.voice(step.recognition), "〔语音〕")
        case Step(sends=str(kind)):
            return user.sends(_SENDS[kind], f"〔{kind}〕")
        case Step(follows=True):
            return user.follows()
        case Step(follows=str(scene)):
            return user.follows(scene)
        case Step(unfollows=True):
            return user.unfollows()
        case Step(scans=str(scene)):
            return user.scans(scene)
        case Step(clicks=str(key)):
            return user.clicks(key)
        case Step(event=str(name)):
            return user.happens(PushBody({"MsgType": "event", "Event": name, **step.fields}))
    return user.resends()


def _findings(
    step: Step, received: "Received | str | None", before: Received | None, known: dict[str, str]
) -> list[str]:
    if received is None:
        return ["没有等到主动消息" if step.waits_s else "没有可以重发的消息"]
    if isinstance(received, Received) and received.fault is not None:
        return [f"微信显示故障提示。原因：{received.fault}"]
    shown, labels = _seen(received)
    expects, missing = step.expects, []
    if expects.no_reply and shown:
        missing.append("应当没有回复")
    if not expects.no_reply and not shown and (expects.contains or expects.choices):
        missing.append("没有回复")
    missing += [f"应有“{text}”" for text in expects.contains if text not in shown]
    missing += [f"不应有“{text}”" for text in expects.not_contains if text in shown]
    missing += [f"应有可点的“{text}”" for text in expects.choices if not any(text in label for label in labels)]
    if expects.same_reply and (before is None or _seen(before)[0] != shown):
        missing.append("应与上一步的回复相同")
    missing += _remember(step, shown, known)
    return [*missing, f"回复是：\n{_indented(shown or '（没有回复）')}"] if missing else []


def _seen(received: "Received | str") -> tuple[str, list[str]]:
    """What the phone shows, and the labels that can be tapped."""
    if isinstance(received, str):
        return phone.visible(received), [tap.label for tap in phone.taps(received)]
    titles = "".join(article.title for article in received.reply.articles) if received.reply else ""
    return received.visible + titles, [tap.label for tap in received.taps]


def _remember(step: Step, shown: str, known: dict[str, str]) -> list[str]:
    missing = []
    for name, pattern in step.remembers.items():
        found = re.search(pattern, shown)
        if found is None:
            missing.append(f"要记住的“{name}”（{pattern}）不在回复里")
        else:
            known[name] = found[0]
    return missing


def _filled(step: Step, known: dict[str, str]) -> Step:
    """The step with what was remembered in its words."""

    def fill(text: Any) -> Any:
        if isinstance(text, str):
            for name, value in known.items():
                text = text.replace(f"{{{name}}}", value)
        return [fill(one) for one in text] if isinstance(text, list) else text

    expects = {name: fill(value) for name, value in step.expects.model_dump().items()}
    changed = {name: fill(getattr(step, name)) for name in ("says", "taps", "scans", "clicks")}
    return step.model_copy(update={**changed, "expects": Expectation(**expects)})


def _indented(text: str) -> str:
    return "\n".join(f"| {line}" for line in text.splitlines())
