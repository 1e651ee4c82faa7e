"""The documents tell the truth: commands in the README exist, settings stand in `.env.example`."""

import os
import re
import shutil
import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from bot.cli import app
from bot.settings import BotSettings
from knowledge.settings import KnowledgeSettings

ROOT = Path(__file__).parents[1]


VARIABLES = {
    str(field.validation_alias or f"FAWEN_{name.upper()}")
    for kind in (BotSettings, KnowledgeSettings)
    for name, field in kind.model_fields.items()
}


def test_every_setting_stands_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")

    missing = {name for name in VARIABLES if name not in example}

    assert not missing


def test_every_command_in_the_readme_exists() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined] # a click group
    named = set(
        re.findall(r"^(?:\$ )?fawen ([a-z]+)(?: ([a-z]+))?", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE)
    )

    assert named
    for command, sub in named:
        assert command in commands, command
        if hasattr(commands[command], "commands") and sub:
            assert sub in commands[command].commands, (command, sub)


def test_the_compose_file_is_valid_and_names_only_settings_that_exist() -> None:
    """No Docker engine runs where this is built; docker-compose checks the file against its schema without one."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    environment = compose["services"]["fawen"]["environment"]
    assert set(environment) <= VARIABLES

    checker = shutil.which("docker-compose")
    if checker is None:
        assert not os.environ.get("CI"), "docker-compose is missing: .ci/run installs it"
        pytest.skip("no docker-compose on this machine")
    needed = dict.fromkeys((*_required(environment), "FAWEN_DB_PASSWORD"), "x")
    by_default = _composed(checker, needed)
    assert _trusted(by_default) == str(_network(by_default)[1]), "the gateway, by which the host's web server comes in"
    set_by_site = {"FAWEN_SUBNET": "10.9.0.0/24", "FORWARDED_ALLOW_IPS": "10.9.0.1,10.9.0.7"}
    composed = _composed(checker, dict.fromkeys((*VARIABLES, "FAWEN_DB_PASSWORD"), "x") | set_by_site)
    assert (_trusted(composed), str(_network(composed))) == ("10.9.0.1,10.9.0.7", "10.9.0.0/24")


def _required(environment: dict[str, str]) -> list[str]:
    return [name for name, value in environment.items() if ":?" in value and name.startswith("FAWEN_WECHAT_")]


def _composed(checker: str, given: dict[str, str]) -> dict[str, Any]:
    """The compose file as docker-compose reads it with these variables set; any others of ours are not."""
    ours = {*VARIABLES, "FAWEN_SUBNET", "FAWEN_DB_PASSWORD"}
    result = subprocess.run(
        [checker, "-f", str(ROOT / "docker-compose.yml"), "config"],
        env={**{name: value for name, value in os.environ.items() if name not in ours}, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    composed: dict[str, Any] = yaml.safe_load(result.stdout)
    return composed


def _trusted(composed: dict[str, Any]) -> str:
    return str(composed["services"]["fawen"]["environment"]["FORWARDED_ALLOW_IPS"])


def _network(composed: dict[str, Any]) -> IPv4Network:
    return IPv4Network(composed["networks"]["default"]["ipam"]["config"][0]["subnet"])


def test_no_registry_host_stands_in_a_lock_file() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (ROOT / name).read_text("utf-8")
