"""设置 over HTTP: texts, fixed replies and urgent rules as staff change them, and what askers then hear."""

import re
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from openpyxl import Workbook, load_workbook

from knowledge import audit, fixed_replies, texts, urgency
from knowledge.models import Role
from tests.admin.test_operations_pages import post, signed_in
from tests.admin.test_pages import sign_in, token
from tests.conftest import Served, add_staff

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def browser(served: Served) -> Iterator[httpx.Client]:
    with signed_in(served) as client:
        yield client


def upload(browser: httpx.Client, *rows: tuple[str | None, ...]) -> httpx.Response:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for cells in book.worksheets[0].iter_rows():
        for cell in cells:
            cell.data_type = "s" if cell.value is not None else cell.data_type
    written = BytesIO()
    book.save(written)
    form = {"form_token": token(browser.get("/admin/account"))}
    files = {"file": ("回复.xlsx", written.getvalue(), XLSX)}
    return browser.post("/admin/settings/fixed-replies/import", data=form, files=files)


def records(served: Served, subject: str) -> list[tuple[str, str]]:
    with served.database.reading() as session:
        return [(one.actor, one.action) for one in audit.find(session, subject=subject)]


def test_the_hub_lists_what_a_role_may_open(served: Served, browser: httpx.Client) -> None:
    add_staff(served.database, "李", Role.CURATOR)
    for_all = browser.get("/admin/settings").text
    sign_in(browser, "李")
    for_curators = browser.get("/admin/settings").text

    assert all(
        f"/admin{path}" in for_all for path in ("/settings/texts", "/settings/fixed-replies", "/staff", "/audit")
    )
    assert "/admin/settings/fixed-replies" in for_curators
    assert "/admin/settings/texts" not in for_curators
    assert "/admin/staff" not in for_curators


def test_a_new_follower_is_welcomed_in_the_words_just_saved(served: Served, browser: httpx.Client) -> None:
    shown = browser.get("/admin/settings/texts/welcome").text
    assert "试用期最长多久" in shown, "the preview has examples"
    preview = post(browser, "/texts/welcome/preview", text="欢迎来到东园！\n{示例问题}\n{天数}")
    assert "没有占位符 {天数}" in preview.text
    typed_in_chinese = post(browser, "/texts/welcome/preview", text="欢迎！\n｛示例问题｝")
    assert 'title="点按发送：试用期最长多久"' in typed_in_chinese.text

    saved = post(browser, "/texts/welcome", text="欢迎来到东园！\n{示例问题}", against="0")
    served.standing.refresh()

    assert "已保存" in saved.text
    served.user("zhang").sends("event", Event="subscribe").hears("欢迎来到东园").hears_choices("试用期最长多久")
    late = post(browser, "/texts/welcome", text="又一版\n{示例问题}", against="0")
    assert (late.status_code, "又一版" in late.text) == (409, True), "nothing typed is lost"
    restored = post(browser, "/texts/welcome/restoration", against="1")
    served.standing.refresh()
    assert "恢复出厂文案" in restored.text
    served.user("zhao").sends("event", Event="subscribe").hears("欢迎关注")
    assert records(served, "text welcome") == [("陈", "text.restore"), ("陈", "text.save")]


def test_a_text_that_would_not_fit_one_message_is_refused(served: Served, browser: httpx.Client) -> None:
    answer = post(browser, "/texts/welcome", text="{示例问题}\n" + "长" * 450, against="0")

    assert answer.status_code == 422
    assert re.search(r"填好占位符后\d+字节，一条消息最多1800字节", answer.text)
    with served.database.reading() as session:
        assert texts.by_key(session, "welcome").is_shipped


def test_a_referral_is_prepared_in_the_saved_words(served: Served, browser: httpx.Client) -> None:
    post(browser, "/texts/staff_referral", text="请拨{热线}。", against="0")
    asked = served.user("zhang").says("公司食堂的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗")
    number = re.search(r"Q\d{8}-\d{4}", asked.text)
    assert number

    assert "请拨12333。" in browser.get(f"/admin/inquiries/{number[0]}?act=refer&hotline=12333").text


def test_a_fixed_reply_is_made_changed_switched_off_and_deleted(served: Served, browser: httpx.Client) -> None:
    zhang = served.user("zhang")
    fields = {"keywords": "怎么走\n路线", "text": "东园一路1号。", "link": "https://example.cn/map", "is_active": "1"}
    assert post(browser, "/fixed-replies", **fields).status_code == 200
    served.standing.refresh()
    zhang.says("路线").hears("东园一路1号")

    taken = post(browser, "/fixed-replies", **{**fields, "keywords": "怎么走"})
    assert (taken.status_code, "“怎么走”已用于另一条固定回复（怎么走、路线）" in taken.text) == (422, True)
    with served.database.reading() as session:
        made = next(one for one in fixed_replies.everything(session) if "路线" in one.keywords)
    page = browser.get(f"/admin/settings/fixed-replies/{made.id}").text
    seen = re.search(r'name="against" value="([^"]+)"', page)
    assert seen
    bad = post(browser, f"/fixed-replies/{made.id}", **{**fields, "link": "javascript:1"}, against=seen[1])
    assert (bad.status_code, "链接要以 https://" in bad.text) == (422, True)

    off = {key: value for key, value in fields.items() if key != "is_active"}
    assert post(browser, f"/fixed-replies/{made.id}", **off, against=seen[1]).status_code == 200
    served.standing.refresh()
    zhang.says("路线").hears_not("东园一路1号")
    assert "已停用" in browser.get("/admin/settings/fixed-replies?q=路线").text
    assert post(browser, f"/fixed-replies/{made.id}", **fields, against="2020-01-01T00:00:00+00:00").status_code == 409
    post(browser, f"/fixed-replies/{made.id}/removal")
    assert records(served, f"fixed_reply {made.id}") == [
        ("陈", "fixed_reply.remove"),
        ("陈", "fixed_reply.change"),
        ("陈", "fixed_reply.add"),
    ]


def test_conflicts_of_keywords_are_shown(browser: httpx.Client) -> None:
    shown = post(browser, "/fixed-replies/preview", keywords="试用期最长多久？\n人工\n地址", text="好")
    assert "“试用期最长多久？”与条目标题相同" in shown.text
    assert "“人工”是公众号的口令" in shown.text
    assert "“地址”" not in shown.text

    post(browser, "/fixed-replies", keywords="试用期最长多久", text="好", is_active="1")
    assert "有1条固定回复的关键词有冲突" in browser.get("/admin/settings/fixed-replies").text


def test_a_spreadsheet_goes_out_and_in_and_says_what_is_wrong_row_by_row(served: Served, browser: httpx.Client) -> None:
    exported = load_workbook(BytesIO(browser.get("/admin/settings/fixed-replies/export").content)).worksheets[0]
    rows = [tuple(str(cell.value or "") for cell in row) for row in exported.iter_rows()]
    assert rows[0] == ("法问编号", "关键词", "回复内容", "链接", "启用")

    changed = [(*row[:4], "否") if "法律援助" in row[1] else row for row in rows]
    done = upload(browser, *changed, ("", "食堂", "=1+1", "", ""))
    assert f"已导入{len(rows)}行" in done.text
    with served.database.reading() as session:
        stored = fixed_replies.everything(session)
    assert [one.is_active for one in stored] == [True, False, True]
    assert stored[-1].text == "=1+1", "nothing is run as a formula, nothing altered"
    assert len(records(served, "fixed_reply")) == 2, "an unchanged row leaves no record"

    refused = upload(
        browser, ("关键词", "回复内容", "法问编号", "启用"), ("新词", "好", "", ""), ("食堂", "好", "", ""),
        ("甲", "", "", ""), ("乙", "好", "999", ""), ("丙", "好", "x", ""), ("丁", "好", "", "可以"),
    )  # fmt: skip
    assert refused.status_code == 422
    for words in (
        "第3行：关键词“食堂”已用于另一条固定回复", "第4行：回复内容不能为空", "第5行：没有编号为999的固定回复",
        "第6行：“法问编号”应是导出时的数字", "第7行：“启用”应填是或否",
    ):  # fmt: skip
        assert words in refused.text
    assert "新词" not in browser.get("/admin/settings/fixed-replies").text
    assert (
        "不是可以读取的 XLSX"
        in browser.post(
            "/admin/settings/fixed-replies/import",
            data={"form_token": token(browser.get("/admin/account"))},
            files={"file": ("x.xlsx", b"no zip", XLSX)},
        ).text
    )


def test_a_sentence_is_tried_on_the_urgent_rules(browser: httpx.Client) -> None:
    page = browser.get("/admin/settings/urgent-rules?q=车间着火了怎么办").text

    assert "会触发“生命危险”，因为有“着火了”" in page
    assert re.search(r'<span class="number">110 119 120 12356</span>生命危险', page), "the number comes first"
    assert "不会触发任何一条规则" in browser.get("/admin/settings/urgent-rules?q=试用期多久").text


def test_an_urgent_rule_of_ones_own_speaks_first(served: Served, browser: httpx.Client) -> None:
    fields = {
        "name": "燃气", "patterns": "闻到 + 煤气味、燃气味", "exceptions": "闻到过", "reply": "先离开，再拨 119。",
        "is_active": "1",
    }  # fmt: skip
    without = post(browser, "/urgent-rules", **{**fields, "reply": "先离开。"})
    assert (without.status_code, "第一行要写明拨打的号码" in without.text) == (422, True)
    assert "至少要有一组词" in post(browser, "/urgent-rules", **{**fields, "patterns": ""}).text
    tried = post(browser, "/urgent-rules/preview", **fields, try_text="办公室闻到煤气味了")
    assert "会触发，因为有“闻到”“煤气味”" in tried.text

    assert post(browser, "/urgent-rules", **fields).status_code == 200
    served.standing.refresh()
    heard = served.user("zhang").says("办公室闻到煤气味了怎么办")
    assert heard.visible.startswith("先离开，再拨 119")
    assert records(served, "urgent_rule own_1") == [("陈", "urgent_rule.add")]


def test_an_urgent_rule_is_moved_before_another_and_then_speaks(served: Served, browser: httpx.Client) -> None:
    fields = {"name": "燃气", "patterns": "煤气味", "exceptions": "", "reply": "先离开，再拨 119。", "is_active": "1"}
    post(browser, "/urgent-rules", **fields)
    both = "闻到煤气味，救命"
    served.standing.refresh()
    assert served.user("zhang").says(both).visible.startswith("如有人身危险")
    with served.database.reading() as session:
        order = [one.id for one in urgency.everything(session)]

    for above in order[-2::-1]:
        moved = post(browser, "/urgent-rules/own_1/place", past=above, way="up")
    assert "“燃气”现在排第1" in moved.text
    late = post(browser, "/urgent-rules/own_1/place", past=order[-2], way="up")
    served.standing.refresh()

    assert (late.status_code, "顺序刚才被同事改过" in late.text) == (409, True)
    assert served.user("zhao").says(both).visible.startswith("先离开")
    page = browser.get("/admin/settings/urgent-rules").text
    assert re.findall(r'aria-label="(..)“燃气”"', page) == ["下移"]
    assert "调整紧急规则的顺序" in browser.get("/admin/audit").text


def test_a_rule_that_may_save_a_life_goes_only_with_a_confirmation(served: Served, browser: httpx.Client) -> None:
    refused = post(browser, "/urgent-rules/life/removal")
    assert (refused.status_code, "删除前请勾选确认" in refused.text) == (422, True)
    off = {"name": "生命危险", "patterns": "救命", "exceptions": "", "reply": "拨 110"}
    assert "停用前请勾选确认" in post(browser, "/urgent-rules/life", **off).text
    with served.database.reading() as session:
        assert urgency.by_id(session, "life").is_active

    assert post(browser, "/urgent-rules/life", **off, confirmed="1").status_code == 200
    assert post(browser, "/urgent-rules/life/removal", confirmed="1").status_code == 200
    served.standing.refresh()
    served.user("zhang").says("救命啊").hears_not("110")
    assert [action for _, action in records(served, "urgent_rule life")] == ["urgent_rule.remove", "urgent_rule.change"]
