"""The menu: a file within WeChat's limits, compared, published, taken away."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import menu
from bot.cli import app
from bot.menu import MenuError
from tests.conftest import AES_KEY, APP_ID, TOKEN
from tests.wechat_api import SECRET, wechat

MENU = """
- name: 法律问答
  sub_button:
    - {name: 试用期最长多久, type: click, key: 试用期最长多久}
    - {name: 查进度, key: 进度}
- name: 办事大厅
  type: view
  url: https://example.cn/hall
"""


def menu_file(folder: Path, text: str = MENU) -> Path:
    file = folder / "menu.yaml"
    file.write_text(text, "utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[]", "至少要有1个菜单"),
        ("- {name: 一, key: a}\n" * 4, "最多3个菜单"),
        ("- {name: 法律问答服务, key: a}", "18字节，最多16字节"),
        ("- {name: 问, type: view, url: ftp://x}", "https://"),
        ("- {name: 问, key: '" + "长" * 50 + "'}", "150字节"),
        ("- {name: 问, sub_button: []}", "至少要有1个菜单"),
        ("not: a menu", "菜单应是一张列表"),
        ("- {name: [", "无法读取"),
    ],
)
def test_what_wechat_would_refuse_is_refused_before(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(MenuError, match=why):
        menu.read_menu(menu_file(tmp_path, text))


def test_a_menu_is_published_compared_shown_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = str(menu_file(tmp_path))
    run = CliRunner()
    with wechat() as weixin:
        for name, value in {
            "FAWEN_WECHAT_TOKEN": TOKEN,
            "FAWEN_WECHAT_APP_ID": APP_ID,
            "FAWEN_WECHAT_AES_KEY": AES_KEY,
            "FAWEN_WECHAT_APP_SECRET": SECRET,
            "FAWEN_WECHAT_API": weixin.host,
            "FAWEN_DATA_DIR": str(tmp_path / "data"),
        }.items():
            monkeypatch.setenv(name, value)

        before = run.invoke(app, ["menu", "diff", file])
        assert before.exit_code == 1
        assert "+- name: 法律问答" in before.stdout
        assert run.invoke(app, ["menu", "publish", file]).exit_code == 0
        same = run.invoke(app, ["menu", "diff", file])
        assert (same.exit_code, same.stdout.strip()) == (0, "与已发布的菜单相同")
        shown = run.invoke(app, ["menu", "show"]).stdout
        assert menu.as_text(menu.read_menu(menu_file(tmp_path, shown))) == menu.as_text(menu.read_menu(Path(file)))
        assert run.invoke(app, ["menu", "delete", "--yes"]).exit_code == 0
        assert weixin.platform.menu is None


def test_without_a_secret_the_menu_command_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAWEN_DATA_DIR", str(tmp_path))

    refused = CliRunner().invoke(app, ["menu", "show"])

    assert refused.exit_code == 2
    assert "FAWEN_WECHAT_APP_SECRET" in refused.stderr
