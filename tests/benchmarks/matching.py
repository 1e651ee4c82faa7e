"""How the matcher's cost grows: `python -m tests.benchmarks.matching [--plot FILE.svg]`, on one core.

Prints, in one run: time to build an index and to load a classifier, a query's p50 and p99 from 1,000 to 100,000
wordings, the ratio to `rapidfuzz.process.extract` with WRatio over the same wordings, and the memory of a web
process with the whole application imported.
"""

import argparse
import os
import pickle
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from rapidfuzz import fuzz, process

from knowledge.content import FAQ
from knowledge.content.entries import read_entries
from knowledge.content.matching import matching_set, read_rows
from knowledge.matching.decide import Engine, decide
from knowledge.matching.index import Document, build_index
from knowledge.matching.model import Model
from knowledge.matching.train import train
from knowledge.matching.weights import load_weights
from knowledge.models import MatchingKind

SIZES = (1_000, 3_000, 12_000, 30_000, 100_000)
QUERIES = 400
_FILLER = "的了在是我有和就不人都一上也很到说要去你会着没看好自己这那公司厂里老板上班时候后来现在已经一直"


def main() -> None:
    """Run it all and print the table."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--plot", type=Path, help="write the growth of p50 and p99 as an SVG file")
    plot = arguments.parse_args().plot
    os.sched_setaffinity(0, {0})
    print(f"{'wordings':>9}{'build s':>9}{'p50 ms':>8}{'p99 ms':>8}{'WRatio ms':>11}{'times faster':>14}")
    rows = [_measure(size) for size in SIZES]
    for size, build, p50, p99, plain in rows:
        print(f"{size:>9,}{build:>9.2f}{p50:>8.2f}{p99:>8.2f}{plain:>11.1f}{plain / p50:>14.0f}")
    _classifier()
    now, most = _web_process_mb()
    print(f"memory of a web process with 12,000 wordings and their classifier: {now:.0f} MB, at most {most:.0f} MB")
    if plot:
        plot.write_text(_svg([(size, p50, p99) for size, _, p50, p99, _ in rows]), "utf-8")
        print(f"plot written to {plot}")


def _documents(wordings: int) -> list[Document]:
    """The shipped entries, cut to a number of wordings, or filled up with wordings like theirs."""
    chance = random.Random(wordings)
    forms = [form for _, form in read_entries(FAQ)]
    each = max(1, wordings // len(forms))
    documents = []
    for form in forms:
        texts = list(form.variants[:each])
        while len(texts) < each:
            text = list(chance.choice(form.variants))
            for _ in range(1 + len(text) // 6):
                text.insert(chance.randrange(len(text) + 1), chance.choice(_FILLER))
            texts.append("".join(text))
        documents.append(Document(form.id, form.title, tuple(texts), tuple(form.key_terms), form.answer))
    return documents


def _measure(size: int) -> tuple[int, float, float, float, float]:
    given = matching_set({kind: read_rows(kind) for kind in MatchingKind})
    documents = _documents(size)
    started = time.perf_counter()
    index = build_index(documents, 1, given.lexicon, given.axes)
    build = time.perf_counter() - started
    small = _documents(3_000)
    model = train(small, given.lexicon, 1)  # its cost per query does not depend on how many wordings made it
    engine = Engine(index, load_weights(), model, given.facts)
    chance = random.Random(1)
    questions = [_asked(chance.choice(document.wordings), chance) for document in chance.choices(documents, k=QUERIES)]
    for question in questions[:20]:
        decide(engine, question)
    times = []
    for question in questions:
        started = time.perf_counter()
        decide(engine, question)
        times.append((time.perf_counter() - started) * 1000)
    plain = []
    for question in questions[:10]:
        started = time.perf_counter()
        process.extract(question, index.wordings, scorer=fuzz.WRatio, limit=5)
        plain.append((time.perf_counter() - started) * 1000)
    return len(index.wordings), build, float(np.median(times)), float(np.percentile(times, 99)), float(np.median(plain))


def _asked(wording: str, chance: random.Random) -> str:
    """A wording as somebody else might put it: a few characters more, one less."""
    text = list(wording)
    for _ in range(3):
        text.insert(chance.randrange(len(text) + 1), chance.choice(_FILLER))
    del text[chance.randrange(len(text))]
    return "".join(text)


def _classifier() -> None:
    given = matching_set({kind: read_rows(kind) for kind in MatchingKind})
    documents = [
        *(Document(form.id, form.title, (form.question, *form.variants)) for _, form in read_entries(FAQ)),
        *(form.document() for form in given.outside),
    ]
    started = time.perf_counter()
    stored = train(documents, given.lexicon, 1).to_bytes()
    trained = time.perf_counter() - started
    started = time.perf_counter()
    Model.from_bytes(stored)
    loaded = time.perf_counter() - started
    total = sum(len(document.wordings) for document in documents)
    print(
        f"classifier of {len(documents)} classes on {total:,} wordings: trained in {trained:.1f} s (one core), "
        f"{len(stored) / 1e6:.1f} MB stored, loaded in {loaded:.2f} s"
    )


def _web_process_mb() -> tuple[float, float]:
    """Memory of a process that imports the application and holds 12,000 wordings and their classifier, in MB: at the
    end, and at most.

    What it decides on comes ready, as from the database: reading the YAML is the seeding command's work.
    """
    given = matching_set({kind: read_rows(kind) for kind in MatchingKind})
    documents = _documents(12_000)
    script = (
        "import pickle, re, sys\n"
        "import bot.main\n"
        "from pathlib import Path\n"
        "from knowledge.matching.decide import Engine, decide\n"
        "from knowledge.matching.index import build_index\n"
        "from knowledge.matching.model import Model\n"
        "from knowledge.matching.weights import load_weights\n"
        "documents, lexicon, axes, facts, model = pickle.load(sys.stdin.buffer)\n"
        "index = build_index(documents, 1, lexicon, axes)\n"
        "del documents\n"
        "engine = Engine(index, load_weights(), Model.from_bytes(model), facts)\n"
        "decide(engine, '试用期最长能约定多久啊')\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(*(int(re.search(name + r':\\s+(\\d+)', status)[1]) / 1024 for name in ('VmRSS', 'VmHWM')))\n"
    )
    needed = pickle.dumps(
        (documents, given.lexicon, given.axes, given.facts, train(documents, given.lexicon, 1).to_bytes())
    )
    ended = subprocess.run([sys.executable, "-c", script], input=needed, stdout=subprocess.PIPE, check=True)
    now, most = ended.stdout.split()
    return float(now), float(most)


def _svg(points: list[tuple[int, float, float]]) -> str:
    """Both curves over the logarithm of the number of wordings, drawn without a library: two lines and their ends."""
    top = max(p99 for _, _, p99 in points) * 1.1
    left, width, height = 60, 560, 300

    def place(size: int, value: float) -> str:
        low, high = np.log10(points[0][0]), np.log10(points[-1][0])
        return f"{left + (np.log10(size) - low) / (high - low) * width:.1f},{20 + height * (1 - value / top):.1f}"

    lines = "".join(
        f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
        + " ".join(place(point[0], point[column]) for point in points)
        + '"/>'
        for column, colour in ((1, "#2a6"), (2, "#c33"))
    )
    labels = "".join(
        f'<text x="{place(size, 0).split(",")[0]}" y="{height + 40}" text-anchor="middle">{size:,}</text>'
        for size, _, _ in points
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 40}" height="{height + 60}" '
        f'font-family="sans-serif" font-size="12">{lines}{labels}'
        f'<text x="{left}" y="14">ms per query: p50 green, p99 red; top of the scale {top:.1f} ms</text></svg>\n'
    )


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
