"""固定文案 as shipped: what the account says beside the answers, each text with the placeholders it may use."""

import re
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from knowledge.content import CONTENT
from knowledge.errors import ContentError

TEXTS = CONTENT / "texts.yaml"
LIMIT_BYTES = 1500  # of UTF-8, before placeholders are filled: what goes out must fit one message
PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")


class TextForm(BaseModel):
    """One text as written in YAML: `when` it is said, and which placeholders it `must` keep and `may` use."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    key: str = Field(pattern=r"^[a-z_]{1,40}$")
    group: str = Field(min_length=1)
    name: str = Field(min_length=1)
    when: str = Field(min_length=1)
    must: list[str] = []
    may: list[str] = []
    text: str = Field(min_length=1)

    @property
    def placeholders(self) -> list[str]:
        """All it may use."""
        return [*self.must, *self.may]

    def faults(self, text: str) -> list[str]:
        """What is wrong with a text in its place: each fault names what to mend. None: it may go out."""
        found = [] if text.strip() else ["文案不能为空"]
        if (size := len(text.encode())) > LIMIT_BYTES:
            found.append(f"文案最多{LIMIT_BYTES}字节（约{LIMIT_BYTES // 3}字），现为{size}字节")
        if set("<>") & set(text):
            found.append("文案不能含有 < 和 >，需要时请写成＜和＞")
        if set("{}") & set(PLACEHOLDER.sub("", text)):
            found.append("花括号不成对：占位符要写成 {名称}，名称中间不换行")
        used = PLACEHOLDER.findall(text)
        allowed = "、".join(f"{{{one}}}" for one in self.placeholders) or "（无）"
        found += [
            f"没有占位符 {{{one}}}，这段文案可以用：{allowed}"
            for one in dict.fromkeys(used)
            if one not in self.placeholders
        ]
        found += [f"缺少占位符 {{{one}}}，这段文案必须有它" for one in self.must if one not in used]
        return found


class TextFile(BaseModel):
    """The file: what each placeholder stands for, the entries whose titles are the example questions, and the texts.

    The texts stand in the order in which staff see them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    placeholders: dict[str, str]
    examples: list[str] = Field(min_length=1)
    texts: list[TextForm] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_sound(self) -> "TextFile":
        keys = [one.key for one in self.texts]
        if len(set(keys)) < len(keys):
            raise ValueError("a key stands there twice")
        for one in self.texts:
            if unknown := set(one.placeholders) - set(self.placeholders):
                raise ValueError(f"{one.key}: no such placeholder: {unknown}")
            if faults := one.faults(one.text):
                raise ValueError(f"{one.key}: {faults}")
        return self


def read_texts(path: Path = TEXTS) -> TextFile:
    """Read the texts; raises ContentError where the file breaks the form."""
    try:
        return TextFile.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ContentError(f"{path.name}: {error}") from error


def shipped_texts() -> dict[str, TextForm]:
    """The texts that ship, by key, in the order of the file."""
    return {one.key: one for one in _shipped().texts}


def placeholder_meanings() -> dict[str, str]:
    """What each placeholder stands for."""
    return _shipped().placeholders


def shipped_examples() -> tuple[str, ...]:
    """Ids of the entries whose titles are offered as example questions, in order."""
    return tuple(_shipped().examples)


@lru_cache(maxsize=1)
def _shipped() -> TextFile:
    return read_texts()
