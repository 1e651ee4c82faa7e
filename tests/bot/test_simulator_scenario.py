"""Scripts: what they can say and expect, how a failure reads, and the shipped ones against the shipped FAQ."""

import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.simulator import scenario
from bot.simulator.account import Side, SimulatedAccount
from bot.simulator.scenario import Scenario, ScenarioError
from bot.simulator.sealing import Credentials
from bot.simulator.verdicts import Reply
from bot.wechat.envelope import Mode
from tests.conftest import AES_KEY, APP_ID, TOKEN, Served


def account(fawen: Served) -> SimulatedAccount:
    return SimulatedAccount(f"{fawen.url}/wechat", Credentials(TOKEN, APP_ID, AES_KEY, Mode.SAFE))


def played(fawen: Served, *steps: dict[str, object]) -> str:
    """The report on a script of these steps."""
    script = Scenario.model_validate({"name": "测试", "steps": list(steps)})
    with account(fawen) as opened:
        return "\n".join(scenario.play(script, opened).lines())


@pytest.mark.parametrize("path", scenario.find("all"), ids=lambda path: path.stem)
def test_the_shipped_scenarios_pass(path: Path, fawen: Served) -> None:
    with account(fawen) as opened:
        report = scenario.play(scenario.read(path), opened)

    assert report.failed == 0, "\n".join(report.lines())


def test_a_failure_names_the_step_what_was_missing_and_what_came(fawen: Served) -> None:
    report = played(
        fawen,
        {"says": "试用期最长多久", "expects": {"contains": "六个月", "not_contains": "依据：", "choices": ["点我"]}},
        {"says": "你好", "expects": {"no_reply": True, "same_reply": True}},
        {"taps": "没有这个"},
        {"taps": 99},
        {"says": "再问", "remembers": {"编号": "Q9{9}"}},
        {"event": "VIEW", "expects": {"contains": "什么"}},
        {"unfollows": True},
        {"says": "还在吗"},
    )

    for expected in (
        "✗ 1. 张三 说：试用期最长多久",
        "不应有“依据：”",
        "应有可点的“点我”",
        "| 依据：《劳动合同法》",
        "应当没有回复",
        "应与上一步的回复相同",
        "没有带“没有这个”的链接",
        "没有〔99〕",
        "要记住的“编号”",
        "没有回复",
        "✓ 7. 张三 取消关注",
        "做不了",
        "通过1步，失败7步",
    ):
        assert expected in report, report


def test_a_fault_fails_a_step_whatever_it_expects(fawen: Served) -> None:
    script = Scenario.model_validate({"name": "测试", "steps": [{"says": "你好"}]})
    stranger = SimulatedAccount(f"{fawen.url}/wechat", Credentials("another", APP_ID, AES_KEY, Mode.SAFE))
    with stranger as opened:
        report = scenario.play(script, opened)

    assert report.failed == 1
    assert "状态码403" in "\n".join(report.lines())


def test_every_way_of_acting_can_be_scripted(fawen: Served) -> None:
    kinds = ("image", "voice", "video", "shortvideo", "location", "link", "sticker")
    sent: list[dict[str, object]] = [{"sends": kind} for kind in kinds]
    report = played(
        fawen,
        {"follows": True, "expects": {"contains": "欢迎关注"}},
        {"user": "李四", "follows": "摊位"},
        {"taps": 1, "expects": {"contains": "依据："}},
        {"clicks": "ASK"},
        {"scans": "摊位"},
        *sent,
        {"event": "CLICK", "fields": {"EventKey": 12}},
        {"says": 12333},
        {"resends": True, "expects": {"same_reply": True}},
    )

    assert "失败0步" in report, report


def test_a_pushed_message_can_be_waited_for(fawen: Served) -> None:
    script = Scenario.model_validate(
        {"name": "等", "steps": [{"says": "你好"}, {"waits_s": 30, "expects": {"contains": "主动"}}, {"waits_s": 0.01}]}
    )
    with account(fawen) as opened:

        def push_when_answered() -> None:
            answered = opened.wait(lambda one: one.side is Side.ACCOUNT, 30, after=0)
            assert answered
            user = opened.by_openid(answered.openid)
            assert user
            user.receives(Reply("text", "主动发来"))

        pusher = threading.Thread(target=push_when_answered)
        pusher.start()
        report = scenario.play(script, opened)
        pusher.join()

    assert [bool(findings) for _, findings in report.steps] == [False, False, True]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name: 甲\nsteps: [{says: 问, taps: 答}]", "steps.1: Value error, a step has exactly one of"),
        ("name: 甲\nsteps: [{says: 问}, {expects: {contains: 答}}]", "steps.2"),
        ("name: 甲\nsteps: [{says: 问, expect: 答}]", "steps.1.expect: Extra inputs"),
        ("name: 甲\nsteps: []", "steps"),
        ("steps: [{says: 问}]", "name: Field required"),
        ("name: [", "line 1"),
        ("just words", "the file"),
        ("name: 甲\nsteps: [{sends: hologram}]", "steps.1.sends"),
    ],
)
def test_a_script_that_cannot_be_run_says_where_it_is_wrong(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(text, "utf-8")

    with pytest.raises(ScenarioError, match=str(path)) as raised:
        scenario.read(path)
    assert why in str(raised.value)


def test_scripts_are_found_by_file_folder_and_name(tmp_path: Path) -> None:
    assert [path.stem for path in scenario.find("ask")] == ["ask"]
    assert len(scenario.find("all")) == len(scenario.find(str(scenario.SHIPPED))) >= 3
    with pytest.raises(ScenarioError, match="neither a file nor one of the shipped scenarios"):
        scenario.find("no-such-script")
    with pytest.raises(ScenarioError, match="holds no"):
        scenario.find(str(tmp_path))


def test_the_command_plays_scripts_and_tells_by_its_exit_code(
    fawen: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TOKEN", TOKEN), ("APP_ID", APP_ID), ("AES_KEY", AES_KEY)):
        monkeypatch.setenv(f"FAWEN_WECHAT_{name}", value)
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))
    good = CliRunner().invoke(app, ["simulate", "--url", f"{fawen.url}/wechat", "--scenario", "all"])
    assert good.exit_code == 0, good.output
    assert "6个场景，失败0个" in good.output

    bad = tmp_path / "bad.yaml"
    bad.write_text("name: 甲\nsteps: [{says: 你好, expects: {contains: 没有这句}}]", "utf-8")
    assert CliRunner().invoke(app, ["simulate", "--url", f"{fawen.url}/wechat", "--scenario", str(bad)]).exit_code == 1
    bad.write_text("name: 甲", "utf-8")
    assert CliRunner().invoke(app, ["simulate", "--scenario", str(bad)]).exit_code == 2


def test_the_command_sends_a_storm(fawen: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("TOKEN", TOKEN), ("APP_ID", APP_ID), ("AES_KEY", AES_KEY)):
        monkeypatch.setenv(f"FAWEN_WECHAT_{name}", value)
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))

    storm = ["simulate", "--url", f"{fawen.url}/wechat", "--chaos", "20", "--seed", "3"]
    result = CliRunner().invoke(app, storm)
    mixed = CliRunner().invoke(app, [*storm, "--mix", "odd=1", "--mix", "users=3", "--overlap", "--same-signature"])

    assert mixed.exit_code == 0, mixed.output
    assert result.exit_code == 0, result.output
    assert "种子3" in result.output
    assert "故障0" in result.output


@pytest.mark.parametrize("given", ["storms=1", "odd=2", "odd=many", "users=0", "users=1.5", "odd"])
def test_a_mix_that_cannot_be_is_refused_with_what_can(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))

    refused = CliRunner().invoke(app, ["simulate", "--chaos", "1", "--mix", given])

    assert refused.exit_code == 2
    assert f"--mix {given}" in refused.stderr


def test_the_patience_of_wechat_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: with a clock and MarkFail set, the pause comes after so many failures."""
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))

    talked = CliRunner().invoke(
        app, ["simulate", "--url", "http://127.0.0.1:9/wechat", "--attempts", "1", "--mark-fail", "2", "--skew", "-60"],
        input="一\n二\n三\n",
    )  # fmt: skip

    assert talked.output.count("连不上http") == 2
    assert talked.output.count("MarkFail") == 1
