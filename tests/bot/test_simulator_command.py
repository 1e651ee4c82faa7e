"""`fawen simulate --web` and `--api` as processes: what they print, serve and refuse."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bot.cli import app
from bot.cli_simulate import credentials_of
from bot.settings import BotSettings, account

COMMAND = [sys.executable, "-m", "bot.cli", "simulate"]


def environment(folder: Path) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FAWEN_")}
    return {**clean, "FAWEN_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    """A test that fails must not wait for ever for what it started."""
    try:
        yield
    finally:
        process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_page_is_served_until_ctrl_c(tmp_path: Path) -> None:
    port = free_port()
    with subprocess.Popen(
        [*COMMAND, "--web", "--port", str(port), "--kind", "verified-service"],
        env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as simulator, ended(simulator):  # fmt: skip
        assert simulator.stdout
        printed = []
        for line in simulator.stdout:
            printed.append(line)
            if "Ctrl-C" in line:
                break
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            assert "微信模拟" in http.get("/").text
            assert http.get("/static/phone.js").status_code == 200
            openid = http.get("/phone/first").json()["openid"]
            assert http.get("/phone/state", params={"openid": openid}).json()["account"]["kind"] == "已认证服务号"
            assert http.get("/cgi-bin/menu/get").json()["errcode"] == 41001
        simulator.send_signal(signal.SIGINT)
        rest = simulator.communicate(timeout=120)[0]

    assert f"FAWEN_WECHAT_API=http://127.0.0.1:{port}" in "".join(printed)
    assert "Traceback" not in rest
    assert simulator.returncode == 0


def test_a_taken_port_is_named_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for option in ("--web", "--api"):
            refused = CliRunner().invoke(app, ["simulate", option, "--port", port])
            assert refused.exit_code == 2
            assert f"port {port}" in refused.stderr
            assert "--port" in refused.stderr


@pytest.mark.parametrize(
    ("host", "has_secret"), [("http://127.0.0.1:8001", True), ("https://api2.weixin.qq.com", False), ("", False)]
)
def test_a_made_up_account_has_a_secret_for_a_simulators_api_alone(host: str, has_secret: bool, tmp_path: Path) -> None:
    given = {"wechat_api": host} if host else {}
    served = account(BotSettings(_env_file=None, data_dir=tmp_path, **given))  # type: ignore[call-arg,arg-type] # pydantic's own

    assert bool(served.app_secret) == has_secret
    credentials = credentials_of(served)
    assert credentials.app_secret == served.token
    assert not has_secret or served.app_secret == credentials.app_secret


def test_the_api_is_served_beside_the_chat(tmp_path: Path) -> None:
    port = free_port()
    talked = subprocess.run(
        [*COMMAND, "--api", "--port", str(port), "--url", "http://127.0.0.1:9/wechat"],
        env=environment(tmp_path), input=":额度\n:退出\n", capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert talked.returncode == 0, talked.stderr
    assert f"FAWEN_WECHAT_API=http://127.0.0.1:{port}" in talked.stderr
    assert "现在不能主动" in talked.stdout
