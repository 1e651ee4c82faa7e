"""The command line: what other tools rely on, first starts, and usage errors."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bot import receipts
from bot.cli import app
from bot.cli_base import open_database
from bot.settings import BotSettings, SettingsError, account, trusted_proxies
from bot.wechat.messages import OpenId
from knowledge import inquiries
from knowledge.models import Conversation
from knowledge.settings import KnowledgeSettings
from knowledge.working_days import now_utc
from tests.conftest import AES_KEY, APP_ID, TOKEN


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder shared by the commands here, so that the seed is loaded once."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("FAWEN_DATA_DIR", str(home))
    return CliRunner()


def test_ask_reads_messages_and_writes_one_object_a_line(run: CliRunner) -> None:
    messages = ["试用期最长多久", "", "你叫什么名字", "我老婆要和我离婚，孩子归谁", "'; DROP TABLE x"]
    result = run.invoke(app, ["ask", "--jsonl"], input="\n".join(messages) + "\n")

    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == messages
    assert [row["decision"] for row in rows] == ["answer", *["unresolved"] * 4]
    assert rows[0]["entry"] == "labor.probation.length"
    for row in rows:
        assert set(row) == {"text", "decision", "entry", "choices", "candidates"}
        assert len(row["choices"]) <= 4
        assert len(row["candidates"]) <= 5
        assert all(0 <= one["score"] <= 100 for one in row["candidates"])
    assert run.invoke(app, ["inquiries", "list"]).stdout.strip() == "没有待办的提问单"


def test_ask_explains_in_words(run: CliRunner) -> None:
    result = run.invoke(app, ["ask", "试用期能不能约定两回啊", "--explain"])

    assert "决定：" in result.stdout
    assert "逐字比较" in result.stdout
    assert run.invoke(app, ["ask"]).exit_code == 2


def test_the_export_holds_every_entry_in_the_agreed_form(run: CliRunner) -> None:
    result = run.invoke(app, ["kb", "export", "--jsonl"])
    rows = [json.loads(line) for line in result.stdout.splitlines()]

    assert len({row["id"] for row in rows}) == len(rows) >= 90
    assert set(rows[0]) == {
        "id", "title", "domain", "topic", "question", "variants", "answer", "citations", "status", "review_by",
    }  # fmt: skip
    assert set(rows[0]["citations"][0]) == {"statute", "article", "sub", "paragraph", "item", "unverified"}
    assert {row["domain"] for row in rows} == {"labor", "company", "business"}
    assert min(len(row["variants"]) for row in rows) >= 8
    assert not any("{figure:" in row["answer"] for row in rows)


def test_evaluation_stands_beside_the_baselines(run: CliRunner, tmp_path: Path) -> None:
    rows = [
        {"text": "试用期最长多久", "topic": "labor.probation", "fit": "good", "domain": "labor"},
        {"text": "公司拖欠工资", "topic": "labor.wage.arrears", "fit": "good", "domain": "labor"},
        {"text": "讲个笑话", "topic": None, "fit": None, "domain": "chitchat"},
    ]
    file = tmp_path / "q.jsonl"
    file.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")

    table = run.invoke(app, ["evaluate", str(file), "--baselines"])
    figures = json.loads(run.invoke(app, ["evaluate", str(file), "--baselines", "--json"]).stdout)

    assert "rapidfuzz WRatio" in table.stdout
    assert figures["fawen"]["all"]["in_scope"] == 2
    assert figures["fawen"]["all"]["top1"] == 1.0
    assert figures["fawen"]["all"]["false_answers_chitchat"] == 0.0
    file.write_text("not json\n", "utf-8")
    broken = run.invoke(app, ["evaluate", str(file)])
    assert broken.exit_code == 2
    assert "line 1" in broken.stderr


def test_unknown_numbers_and_people_are_findings(run: CliRunner) -> None:
    assert run.invoke(app, ["inquiries", "show", "Q20200101-0001"]).exit_code == 1
    assert run.invoke(app, ["inquiries", "answer", "Q20200101-0001", "答"]).exit_code == 1
    assert run.invoke(app, ["erase", "o_nobody"]).exit_code == 1
    assert run.invoke(app, ["staff", "password", "无名", "--password", "long enough password"]).exit_code == 1
    assert run.invoke(app, ["staff", "add", "李", "--password", "short"]).exit_code == 2
    assert run.invoke(app, ["staff", "second-factor-off", "无名"]).exit_code == 1


@pytest.mark.parametrize(
    ("secret", "sends_left", "way"),
    [
        ("", 5, "没有设置 FAWEN_WECHAT_APP_SECRET，不能推送，提问人下次发消息时送达"),
        ("s" * 32, 0, "提问人近48小时没有来信，或可主动发送的条数不够，下次发消息时送达"),
        ("s" * 32, 5, "服务运行时随即推送；"),
    ],
)
def test_answering_says_how_the_reply_will_reach_the_asker(
    run: CliRunner, monkeypatch: pytest.MonkeyPatch, secret: str, sends_left: int, way: str
) -> None:
    now = now_utc()
    with open_database(KnowledgeSettings()).writing() as session:
        asker_id = receipts.know_asker(session, OpenId(f"o_{secret}_{sends_left}"), now)
        inquiry, _ = inquiries.open_or_join(session, asker_id, "公司的鹅跑了，谁赔", "unresolved", now)
        session.add(
            Conversation(
                asker_id=asker_id, sends_left=sends_left, sends_until=now + timedelta(hours=47), updated_at=now
            )
        )
        number = inquiry.number
    if secret:
        settings = {"TOKEN": TOKEN, "APP_ID": APP_ID, "AES_KEY": AES_KEY, "APP_SECRET": secret}
        for name, value in settings.items():
            monkeypatch.setenv(f"FAWEN_WECHAT_{name}", value)

    said = run.invoke(app, ["inquiries", "answer", number, "公司要赔。"]).stdout

    assert said.startswith(f"已答复 {number}：{way}")


def settings(folder: Path, **values: str) -> BotSettings:
    return BotSettings(_env_file=None, data_dir=folder, **values)  # type: ignore[call-arg,arg-type] # pydantic's own


def test_keys_are_made_once_and_kept_to_this_user(tmp_path: Path) -> None:
    first, second = account(settings(tmp_path)), account(settings(tmp_path))

    assert first == second
    assert first.is_simulated
    assert re.fullmatch(r"[A-Za-z0-9]{43}", first.aes_key)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_half_a_set_of_wechat_settings_is_refused_naming_the_rest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FAWEN_WECHAT_APP_ID, FAWEN_WECHAT_AES_KEY missing"):
        account(settings(tmp_path, wechat_token=TOKEN))
    with pytest.raises(SettingsError, match="FAWEN_WECHAT_TOKEN missing"):
        account(settings(tmp_path, wechat_app_id=APP_ID, wechat_aes_key=AES_KEY))
    with pytest.raises(SettingsError, match="FAWEN_WECHAT_TOKEN"):
        account(settings(tmp_path, wechat_mode="plain"))
    assert account(settings(tmp_path, wechat_token=TOKEN, wechat_mode="plain")).mode == "plain"
    whole = settings(tmp_path, wechat_token=TOKEN, wechat_app_id=APP_ID, wechat_aes_key=AES_KEY)
    assert not account(whole).is_simulated
    with pytest.raises(SettingsError, match="FAWEN_SECRET_KEY"):
        account(settings(tmp_path, secret_key="short"))


def test_a_previous_secret_key_is_one_before_the_present_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FAWEN_PREVIOUS_SECRET_KEY is the same"):
        account(settings(tmp_path, secret_key="k" * 40, previous_secret_key="k" * 40))
    made = account(settings(tmp_path)).secret_key
    rotated = account(settings(tmp_path, secret_key="k" * 40, previous_secret_key=made))
    assert (rotated.secret_key, rotated.previous_secret_key) == ("k" * 40, made)


def test_only_named_web_servers_are_believed_where_a_message_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    assert trusted_proxies(settings(tmp_path)) == ["127.0.0.1"]
    (tmp_path / ".env").write_text("FORWARDED_ALLOW_IPS=172.30.255.1, 10.1.2.0/24\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert trusted_proxies(BotSettings()) == ["172.30.255.1", "10.1.2.0/24"]
    for wrong in ("*", "proxy.example.cn", "10.1.2.3/24"):
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", wrong)
        refused = CliRunner().invoke(app, ["serve"])
        assert (refused.exit_code, "FORWARDED_ALLOW_IPS" in refused.stderr) == (2, True), wrong


def test_a_first_start_serves_and_says_how_to_talk_to_it(home: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FAWEN_")},
        "FAWEN_DATA_DIR": str(home),
    }
    command = [sys.executable, "-m", "bot.cli"]
    with subprocess.Popen(
        [*command, "serve", "--port", port],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            for _ in range(2400):
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.05)
            talked = subprocess.run(
                [*command, "simulate", "--url", f"http://127.0.0.1:{port}/wechat"],
                env=environment, input="试用期最长多久\n:退出\n", capture_output=True, text=True, check=False,
            )  # fmt: skip
        finally:
            server.send_signal(signal.SIGINT)
            printed = server.communicate(timeout=120)[0]

    assert "fawen simulate" in printed
    assert "fawen staff add" in printed
    assert "我：试用期最长多久" in talked.stdout
    assert "《劳动合同法》第十九条" in talked.stdout, talked.stdout + talked.stderr


def test_without_an_account_only_this_machine_is_served(run: CliRunner) -> None:
    refused = run.invoke(app, ["serve", "--host", "0.0.0.0"])

    assert refused.exit_code == 2
    assert "this machine only" in refused.stderr
