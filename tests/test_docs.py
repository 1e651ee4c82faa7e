"""The documents tell the truth: commands in the README exist, settings stand in `.env.example`."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from bot.cli import app
from bot.settings import BotSettings
from knowledge.settings import KnowledgeSettings

ROOT = Path(__file__).parents[1]


def test_every_setting_stands_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    names = {f"FAWEN_{name.upper()}" for kind in (BotSettings, KnowledgeSettings) for name in kind.model_fields}

    missing = {name for name in names if name not in example}

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
    known = {f"FAWEN_{name.upper()}" for kind in (BotSettings, KnowledgeSettings) for name in kind.model_fields}
    assert set(environment) <= known

    checker = shutil.which("docker-compose")
    if checker is None:
        assert not os.environ.get("CI"), "docker-compose is missing: .ci/run installs it"
        pytest.skip("no docker-compose on this machine")
    given = dict.fromkeys((*known, "FAWEN_DB_PASSWORD"), "x")
    result = subprocess.run(
        [checker, "-f", str(ROOT / "docker-compose.yml"), "config", "-q"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_no_registry_host_stands_in_a_lock_file() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (ROOT / name).read_text("utf-8")
