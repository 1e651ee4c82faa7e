"""法规库 over HTTP: statutes and articles, importing an amendment, and the entries it puts into re-review."""

import re
from collections.abc import Iterator

import httpx
import pytest

from knowledge.models import Role
from knowledge.statutes import rereview
from tests.conftest import PASSWORD, Served, add_staff

LAW = "中华人民共和国劳动合同法"
OLD = "\n".join(f"第{number}条　旧的第{number}条。" for number in range(1, 31))
NEW = OLD.replace("旧的第19条", "新的第19条")


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with served.browser() as client:
        yield client


def token(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]


def sign_in(browser: httpx.Client, served: Served, role: Role = Role.CURATOR) -> None:
    add_staff(served.database, role=role)
    form = {"form_token": token(browser.get("/admin/sign-in")), "name": "李", "password": PASSWORD}
    assert browser.post("/admin/sign-in", data=form).url.path != "/admin/sign-in"


def bring(browser: httpx.Client, text: str, name: str = "法.md", **fields: str) -> httpx.Response:
    form = {"form_token": token(browser.get("/admin/statutes/import")), "title": LAW, **fields}
    return browser.post("/admin/statutes/import", data=form, files={"file": (name, text.encode())})


def test_an_amendment_lists_its_entries_with_both_texts_until_somebody_has_looked(
    served: Served, browser: httpx.Client
) -> None:
    """The cast's entry cites 第十九条 of the real text, so the first import differs already."""
    sign_in(browser, served)
    first = bring(browser, OLD, effective="2013-07-01")
    assert "已导入新版本" in first.text
    reviews = browser.get("/admin/statutes/reviews")
    assert "条目核对时的文本没有导入过" in reviews.text
    for entry in sorted(set(re.findall(r"/statutes/reviews/([a-z_.]+)/closing", reviews.text))):
        browser.post(f"/admin/statutes/reviews/{entry}/closing", data={"form_token": token(reviews)})
    assert "没有待复审的条目" in browser.get("/admin/statutes/reviews").text

    amended = bring(browser, NEW, effective="2027-01-01")

    assert "1个条目引用的条文有变动" in amended.text
    listed = browser.get("/admin/statutes/reviews")
    assert "试用期最长多久" in listed.text
    assert "<del>旧</del>的第19条。" in listed.text
    assert "<ins>新</ins>的第19条。" in listed.text
    assert "新文本2027-01-01起施行" in listed.text
    assert "待复审的条目1个" in browser.get("/admin/statutes").text
    closed = browser.post("/admin/statutes/reviews/labor.probation.length/closing", data={"form_token": token(listed)})
    assert "labor.probation.length 已确认" in closed.text
    again = browser.post("/admin/statutes/reviews/labor.probation.length/closing", data={"form_token": token(listed)})
    assert again.status_code == 404
    assert "没有变化" in bring(browser, NEW, effective="2027-01-01").text
    with served.database.reading() as session:
        assert rereview.due(session) == []


def test_a_statute_shows_versions_articles_and_who_cites_them(served: Served, browser: httpx.Client) -> None:
    sign_in(browser, served)
    bring(browser, OLD, effective="2013-07-01")
    shown = bring(browser, NEW, effective="2027-01-01")
    address = str(shown.url.copy_with(query=None))

    current = browser.get(address)
    cited = browser.get(address, params={"cited": "1"})
    found = browser.get(address, params={"q": "旧的第7条"})
    article = browser.get(f"{address}/articles/19")

    assert "2013-07-01 起 至 2026-12-31" in current.text
    assert "尚未施行" in current.text
    assert "旧的第19条" in current.text
    assert "旧的第1条。" not in cited.text
    assert "第十九条" in cited.text
    assert "1条" in found.text
    assert "旧的第7条" in found.text
    assert "试用期最长多久" in article.text
    assert "<ins>新</ins>" in article.text
    assert "劳动合同法" in browser.get("/admin/statutes", params={"q": "合同"}).text
    assert "没有找到" in browser.get("/admin/statutes", params={"q": "没有"}).text
    assert browser.get(f"{address}/articles/99").status_code == 404
    assert browser.get("/admin/statutes/999").status_code == 404


def test_what_is_cited_and_not_imported_is_listed_until_it_is(served: Served, browser: httpx.Client) -> None:
    sign_in(browser, served)
    wanted = "中华人民共和国劳动合同法"

    before = browser.get("/admin/statutes").text
    form = browser.get("/admin/statutes/import", params={"title": wanted}).text

    assert f'aria-label="导入{wanted}"' in before
    assert f'value="{wanted}"' in form
    bring(browser, OLD, effective="2013-07-01")
    assert f'aria-label="导入{wanted}"' not in browser.get("/admin/statutes").text


def test_a_file_with_faults_comes_back_with_what_was_typed(served: Served, browser: httpx.Client) -> None:
    sign_in(browser, served)

    refused = bring(browser, "第一条　甲。\n第三条　乙。", effective="2027年1月1日")
    undated = bring(browser, OLD, effective="明年")
    no_file = browser.post("/admin/statutes/import", data={"form_token": token(refused), "title": LAW})

    assert refused.status_code == 422
    assert "法.md：第2行：第1条之后是第三条" in refused.text
    assert LAW in refused.text
    assert "2027年1月1日" in refused.text
    assert "“明年”不是日期" in undated.text
    assert (no_file.status_code, "请选择文件" in no_file.text) == (422, True)
    assert "还没有导入法规文本" in browser.get("/admin/statutes").text


def test_a_viewer_reads_and_imports_nothing(served: Served, browser: httpx.Client) -> None:
    sign_in(browser, served, Role.VIEWER)

    assert browser.get("/admin/statutes").status_code == 200
    assert "导入法规文本</a>" not in browser.get("/admin/statutes").text
    assert browser.get("/admin/statutes/import").status_code == 403
    assert browser.get("/admin/statutes/reviews").status_code == 200
