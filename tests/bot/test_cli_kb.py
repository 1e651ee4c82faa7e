"""`fawen statutes …` and `fawen kb …`: what an operator sees, exit codes, and errors in words."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app

LAW = "中华人民共和国劳动合同法"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder shared by the commands here, so that the seed is loaded once."""
    return tmp_path_factory.mktemp("data")


class Fawen:
    """The command line over the shared data folder."""

    def __init__(self) -> None:
        self._runner = CliRunner()

    def __call__(self, *arguments: object, input: str | None = None) -> Result:
        return self._runner.invoke(app, [str(one) for one in arguments], input=input)


@pytest.fixture
def fawen(home: Path, monkeypatch: pytest.MonkeyPatch) -> Fawen:
    monkeypatch.setenv("FAWEN_DATA_DIR", str(home))
    return Fawen()


def test_an_amended_law_puts_its_entries_into_re_review(fawen: Fawen, tmp_path: Path) -> None:
    articles = "\n".join(f"第{number}条　与从前不同的第{number}条。" for number in range(1, 20))
    (tmp_path / "law.md").write_text(f"{LAW}\n施行日期：2027-07-01\n{articles}", "utf-8")
    cited = fawen("kb", "impact", "劳动合同法", "--article", 19, "--json")
    entries = {row["entry"] for row in json.loads(cited.stdout)}
    assert "labor.probation.length" in entries

    imported = fawen("statutes", "import", tmp_path / "law.md")
    again = fawen("statutes", "import", tmp_path / "law.md")

    assert imported.exit_code == 0, imported.output
    assert "新增1个版本" in imported.stdout
    assert "新│ 与从前不同的第19条。" in imported.stdout
    assert "未变1个" in again.stdout
    assert "复审的条目：0个" in again.stdout
    shown = fawen("kb", "rereview", "labor.probation.length").stdout
    assert "《劳动合同法》第十九条（新文本自2027-07-01起施行）" in shown
    assert fawen("kb", "rereview", "labor.probation.length", "--done").exit_code == 2
    assert fawen("kb", "rereview", "labor.probation.length", "--done", "--by", "王").exit_code == 0
    assert fawen("kb", "rereview", "labor.probation.length", "--done", "--by", "王").exit_code == 1
    assert "2027-07-01  19条  未施行" in fawen("statutes", "list", "劳动合同法").stdout
    assert "与从前不同的第3条。" in fawen("statutes", "show", LAW, "--article", 3, "--as-of", "2027-08-01").stdout
    assert fawen("statutes", "show", LAW, "--article", 3, "--as-of", "2026-08-01").exit_code == 1
    checked = fawen("kb", "check", "--imported", "--no-show-texts", "--as-of", "2026-11-24")
    assert "现有文本中没有这一条" in checked.stdout


def test_what_is_wrong_with_an_import_is_said_with_its_place(fawen: Fawen, tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text("某法\n第一条　甲。\n第三条　乙。", "utf-8")

    refused = fawen("statutes", "import", tmp_path / "bad.md")

    assert refused.exit_code == 1
    assert "bad.md：第3行" in refused.stderr
    assert "--effective" in refused.stderr
    assert fawen("statutes", "import", tmp_path / "bad.md", "--effective", "明年").exit_code == 2
    assert fawen("kb", "impact", "没有这部法").exit_code == 1
    assert "没有这样的法规" in fawen("statutes", "list", "没有这部法").stdout
