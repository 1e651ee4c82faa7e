"""`fawen statutes …` and `fawen kb …`: what an operator sees, exit codes, and errors in words."""

import json
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from knowledge import curation, seeding
from knowledge.content.entries import EntryForm
from knowledge.content.files import write_entries
from knowledge.database import Database
from knowledge.migrations import migrate
from knowledge.settings import KnowledgeSettings
from tests.builders import cast_entries
from tests.conftest import NOW

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
    assert "施行日期" in refused.stderr
    assert fawen("statutes", "import", tmp_path / "bad.md", "--effective", "明年").exit_code == 2
    assert fawen("kb", "impact", "没有这部法").exit_code == 1
    assert "没有这样的法规" in fawen("statutes", "list", "没有这部法").stdout


def seed_folder(folder: Path, *entries: EntryForm) -> Path:
    """A folder of YAML files holding the entries."""
    write_entries(entries, folder)
    return folder


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fawen:
    """A site with the cast's few entries, loaded as a seed, in a data folder of its own."""
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path / "data"))
    database = Database(KnowledgeSettings().url)
    migrate(database)
    with database.writing() as session:
        for form in cast_entries():
            seeding.add_entry(session, form, NOW)
        curation.publish_content(session, NOW, "tests")
    database.dispose()
    return Fawen()


def test_a_newer_seed_is_compared_merged_and_chosen_for(small: Fawen, tmp_path: Path) -> None:
    newer = [form.model_copy(update={"answer": "新种子的答复。"}) for form in cast_entries()[:2]]
    seed = seed_folder(tmp_path / "seed", *newer, *cast_entries()[2:4])
    book = tmp_path / "faq.xlsx"
    assert small("kb", "export", "--xlsx", book).exit_code == 0
    workbook = openpyxl.load_workbook(book)
    rows = {row[0].value: row for row in workbook["条目"].iter_rows()}
    rows["labor.probation.length"][5].value = "本地改的答复。"
    workbook.save(book)
    edited = small("kb", "import", book)
    assert edited.exit_code == 0, edited.output
    assert "更新 labor.probation.length  试用期最长多久：答复" in edited.stdout

    found = small("kb", "diff", seed)
    assert found.exit_code == 1
    assert "冲突  labor.probation.length" in found.stdout
    for line in ("原│ 试用期最长六个月", "本地│ 本地改的答复。", "种子│ 新种子的答复。"):
        assert line in found.stdout
    assert "相同2，种子有更新1，冲突1，种子已删去1" in found.stdout
    as_json = {row["entry_id"]: row["state"] for row in json.loads(small("kb", "diff", seed, "--json").stdout)}
    assert as_json["labor.probation.wage"] == "updated"

    dry = small("kb", "import", seed, "--merge", "--dry-run")
    assert dry.exit_code == 1
    merged = small("kb", "import", seed, "--merge")
    assert merged.exit_code == 1
    assert "更新1个" in merged.stdout
    assert "待选择的冲突1个" in merged.stdout
    assert "新种子已没有 business.admin.hearing" in merged.stdout
    kept = small("kb", "import", seed, "--merge", "--keep", "labor.probation.length", "--retire")
    assert kept.exit_code == 0, kept.output
    assert "保留1个，下线1个" in kept.stdout
    answers = {
        row["id"]: (row["answer"], row["status"])
        for row in map(json.loads, small("kb", "export", "--jsonl").stdout.splitlines())
    }
    assert answers["labor.probation.length"][0] == "本地改的答复。"
    assert answers["labor.probation.wage"][0] == "新种子的答复。"
    assert answers["business.admin.hearing"][1] == "archived"


def test_choices_that_contradict_each_other_are_refused(small: Fawen, tmp_path: Path) -> None:
    seed = seed_folder(tmp_path / "seed", *cast_entries())

    assert small("kb", "import", seed, "--take", "all").exit_code == 2
    assert small("kb", "import", seed, "--merge", "--take", "all", "--keep", "all").exit_code == 2
    assert small("kb", "import", seed, "--merge", "--take", "labor.x", "--keep", "labor.x").exit_code == 2
    assert small("kb", "import", seed, "--merge", "--take", "labor.probation.length").exit_code == 2
    assert small("kb", "export").exit_code == 2
    assert small("kb", "export", "--jsonl", "--yaml", tmp_path / "x").exit_code == 2


def test_a_yaml_export_comes_back_without_a_change(small: Fawen, tmp_path: Path) -> None:
    exported = small("kb", "export", "--yaml", tmp_path / "out")

    assert "5个条目" in exported.stdout
    assert "新增0个，更新0个，未变5个" in small("kb", "import", tmp_path / "out").stdout
    assert small("kb", "export", "--yaml", tmp_path / "out").exit_code == 2


def test_a_workbook_with_a_fault_imports_nothing(small: Fawen, tmp_path: Path) -> None:
    book = tmp_path / "faq.xlsx"
    small("kb", "export", "--xlsx", book)
    workbook = openpyxl.load_workbook(book)
    workbook["条目"]["F2"].value = "改了。"
    workbook["条目"]["B3"].value = "长" * 13
    workbook.save(book)

    refused = small("kb", "import", book)

    assert refused.exit_code == 1
    assert "工作表“条目”第3行B列（标题）：太长，最多12字" in refused.stderr
    assert "没有导入任何条目" in refused.stderr
    assert "改了。" not in small("kb", "export", "--jsonl").stdout
