"""阈值 over HTTP: proposed, looked at, put in force, and what an asker then gets."""

import re
from collections.abc import Iterator

import httpx
import pytest

from knowledge import test_cases, thresholds, tuning, working
from knowledge.models import Role
from tests.admin.test_pages import sign_in, token
from tests.conftest import NOW, Served, add_staff
from tests.knowledge.test_thresholds import ENTRY, WORDED, raised


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    """陈, an administrator, signed in; a test case is kept."""
    add_staff(served.database, "陈", Role.ADMINISTRATOR)
    with served.database.writing() as session:
        test_cases.keep(session, WORDED, ENTRY, "李", NOW)
    with served.browser() as client:
        sign_in(client, "陈")
        yield client


def post(browser: httpx.Client, path: str = "", **fields: str | list[str]) -> httpx.Response:
    form = {"form_token": token(browser.get("/admin/account")), **fields}
    return browser.post(f"/admin/settings/thresholds{path}", data=form)


def levels(served: Served, level: int) -> list[str]:
    with served.database.reading() as session:
        return [str(one) for one in raised(session, level).values()]


def test_levels_are_changed_after_a_look_at_what_that_does(served: Served, browser: httpx.Client) -> None:
    served.user("zhang").says(WORDED).hears("劳动监察投诉")
    shown = post(browser, level=levels(served, 99))
    assert "等待处理" in shown.text
    working.work_off(served.database)
    proposal = shown.url.path.removeprefix("/admin/settings/thresholds")
    shown = browser.get(shown.url.path)

    assert "劳动用工（刚发布、分类器还在训练时）：<del>92%</del> → <ins>99%</ins>" in shown.text
    assert "测试问句：变差1条" in shown.text
    assert "新能答复0个，不再答复1个" in shown.text
    assert "1条中直接答复1条（100%），其中答错0条（0%，范围0%至79%）" in shown.text
    assert "1条中直接答复0条（0%）" in shown.text
    assert "在影子里" in shown.text
    assert "有一组数字在影子里运行" in browser.get("/admin/settings/thresholds").text
    job = re.search(r'name="job" value="(\d+)"', shown.text)
    assert job
    assert "请勾选确认" in post(browser, f"{proposal}/activation", job=job[1]).text
    stale = post(browser, f"{proposal}/activation", job="0", confirmed="1")
    assert stale.status_code == 409
    done = post(browser, f"{proposal}/activation", job=job[1], confirmed="1")

    assert "已投入使用" in done.text
    assert "现在用本单位设的数字" in done.text
    served.matcher.refresh(NOW.date())
    served.user("wu").says(WORDED).hears_not("劳动监察投诉")
    assert "<del>92</del>" in browser.get("/admin/audit").text
    assert post(browser, f"{proposal}/removal").status_code == 422, "in force"

    restoring = post(browser, "/restoration")
    working.work_off(served.database)
    job = re.search(r'name="job" value="(\d+)"', browser.get(restoring.url.path).text)
    assert job
    path = restoring.url.path.removeprefix("/admin/settings/thresholds")
    assert "现在用出厂的数字" in post(browser, f"{path}/activation", job=job[1]).text


def test_the_numbers_in_force_are_measured_in_words(served: Served, browser: httpx.Client) -> None:
    assert "还没有测过" in browser.get("/admin/settings/thresholds").text

    post(browser, "/measurement")
    working.work_off(served.database)

    shown = browser.get("/admin/settings/thresholds").text
    assert "劳动用工：1条中直接答复1条（100%）" in shown
    assert "用1条测试问句和0条已确认的提问测得" in shown


def test_what_makes_no_sense_comes_back_with_what_was_typed(served: Served, browser: httpx.Client) -> None:
    typed = ["12", *levels(served, 95)[1:]]
    for sent, why in (
        (typed, "门槛应为30%至99%"),
        (["九十", *typed[1:]], "门槛请都填整数"),
        (typed[:3], "门槛请都填整数"),
    ):
        refused = post(browser, level=sent)
        assert refused.status_code == 422
        assert why in refused.text
        assert f'value="{sent[0]}"' in refused.text
    assert "至少要100条" in post(browser, "/budget", wrong="5", foreign="2").text
    assert "预算请填数字" in post(browser, "/budget", wrong="x", foreign="2").text
    assert "预算应为" in post(browser, "/budget", wrong="nan", foreign="2").text
    assert "就是出厂的数字" in post(browser, "/restoration").text
    assert post(browser, "/7/comparison").status_code == 404
    with served.database.reading() as session:
        assert tuning.shadow(session) is None
        assert thresholds.newest(session, 0) is None


def test_a_proposal_is_given_up(served: Served, browser: httpx.Client) -> None:
    shown = post(browser, level=levels(served, 99))
    path = shown.url.path.removeprefix("/admin/settings/thresholds")
    assert "开始对照" in post(browser, f"{path}/comparison/cancellation").text
    assert working.work_off(served.database) == 0, "cancelled"

    assert "已放弃" in post(browser, f"{path}/removal").text

    assert "有一组数字在影子里" not in browser.get("/admin/settings/thresholds").text
    assert "投入使用</button>" not in browser.get(shown.url.path).text
