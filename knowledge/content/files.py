"""Entries as YAML files, laid out as the shipped ones are."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from knowledge.content.entries import CitationForm, EntryForm
from knowledge.errors import ContentError

_ORDER = (
    "id", "title", "topic", "question", "audience", "variants", "answer", "citations", "related", "key_terms",
    "referral", "status", "checked_on", "review_by", "valid_from", "valid_until", "later",
)  # fmt: skip


def write_entries(entries: Iterable[EntryForm], folder: Path) -> list[Path]:
    """Write one file per topic group (`labor/wage.yaml`) into a folder that is new or empty; gives the files.

    Reading them gives the same entries. Raises ContentError where the folder holds anything: nothing is
    overwritten, and nothing old stays behind to be read along.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ContentError(f"{folder} 不是空文件夹：请换一个，或先清空")
    groups: dict[Path, list[EntryForm]] = defaultdict(list)
    for entry in entries:
        group = entry.id.split(".")[1]
        groups[folder / entry.domain / f"{group}.yaml"].append(entry)
    for file, listed in groups.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(as_yaml(listed), "utf-8")
    return sorted(groups)


def as_yaml(entries: Iterable[EntryForm]) -> str:
    """The entries as one YAML text."""
    rows = [_row(entry) for entry in entries]
    return yaml.dump(rows, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)


def _row(entry: EntryForm) -> dict[str, Any]:
    # Any: YAML's own types.
    values = entry.model_dump()
    values["citations"] = [_citation(one) for one in entry.citations]
    values["later"] = [
        {"valid_from": one.valid_from, "answer": one.answer, "citations": [_citation(cited) for cited in one.citations]}
        for one in entry.later
    ]
    optional: dict[str, Any] = {"status": "published", "valid_from": None, "valid_until": None, "later": []}
    return {name: values[name] for name in _ORDER if name not in optional or values[name] != optional[name]}


class _Flow(dict[str, Any]):
    """A mapping on one line."""


def _citation(form: CitationForm) -> _Flow:
    return _Flow(form.model_dump(exclude_defaults=True))


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 # its signature
        """Set lists in from their key, as the shipped files do."""
        return super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _flow(dumper: yaml.SafeDumper, values: _Flow) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", values, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(_Flow, _flow)
