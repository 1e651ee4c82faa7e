"""Personal numbers are masked, other figures stay readable, and the time stays bounded."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.callbacks import number_in, read_number
from knowledge.masking import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("打13800138000找我", "打〔手机号〕找我"),
        ("+86 138-0013-8000", "〔手机号〕"),
        ("+8613800138000", "〔手机号〕"),
        ("１３８００１３８０００", "〔手机号〕"),
        ("138 0013 8000，139.0013.9000", "〔手机号〕，〔手机号〕"),
        ("身份证120101199003077774。", "身份证〔身份证号〕。"),
        ("12010119900307777x", "〔身份证号〕"),
        ("120101 19900307 777X", "〔身份证号〕"),
        ("卡号6222021234567890123", "卡号〔卡号〕"),
        ("4111 1111 1111 1111", "〔卡号〕"),
        ("电话0551-65551234转8001", "电话〔电话〕"),
        ("(010)62551234", "〔电话〕"),
        ("护照E12345678", "护照〔证件号〕"),
    ],
)
def test_personal_numbers_are_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "工资3000 3500 4000 4500",
        "2024 0101 2024 1231",
        "拨12345或12333",
        "欠我120000元",
        "2026-11-25到2027-11-24",
        "提问Q20261125-0001",
        "劳动合同法第82条",
        "400-820-8820",
    ],
)
def test_other_figures_stay_readable(text: str) -> None:
    assert mask(text) == text


DIGITS = st.text(alphabet="0123456789", min_size=9, max_size=9)


@given(st.sampled_from("3456789"), DIGITS, st.sampled_from(["", " ", "-", "我的", "："]), st.text(max_size=20))
def test_no_mobile_number_survives(second: str, rest: str, before: str, after: str) -> None:
    number = f"1{second}{rest}"
    text = f"电话{before}{number}" + ("。" + after if after[:1].isdecimal() else after)

    assert number not in mask(text)


@given(st.text())
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize("unit", ["1", "13", "1 ", "1-", "0", "6222 ", "(0", "E1", "转", "１"])
def test_the_time_grows_with_the_text_only(unit: str) -> None:
    def took(size: int) -> float:
        text = unit * (size // len(unit))
        started = time.perf_counter()
        mask(text)
        return time.perf_counter() - started

    # Linear would be 16 times as long; quadratic 256 times. The floor keeps clock noise out.
    assert took(1_600_000) < 80 * max(took(100_000), 0.005)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("138 0013 8000", "13800138000"),
        ("+86-13800138000", "13800138000"),
        ("0551-65551234", "055165551234"),
        ("65551234", "65551234"),
        ("我的电话13800138000", None),
        ("12345", None),
        ("2", None),
    ],
)
def test_a_message_is_a_telephone_number_or_not(text: str, number: str | None) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("我的电话是138-0013-8000，谢谢", "13800138000"),
        ("打+86 13800138000", "13800138000"),
        ("13800138000或13900139000", None),
        ("单号913800138000", None),
        ("没有电话", None),
        ("事情是这样的，" * 6 + "13800138000", None),
    ],
)
def test_one_number_among_a_few_words_is_found(text: str, number: str | None) -> None:
    assert number_in(text) == number
