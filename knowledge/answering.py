"""Answering a question: from an asker's words to Answered, Clarified or Unresolved."""

import threading
from dataclasses import dataclass, field, replace
from datetime import date

from sqlmodel import Session

from knowledge import classifier, clusters, curation, matching_data, signing, tuning
from knowledge.content.matching import OutsideForm
from knowledge.curation import EntryText
from knowledge.database import Database
from knowledge.matching.decide import Decision, Engine, Kind, decide
from knowledge.matching.index import Index, Scope, build_index
from knowledge.matching.model import Model, training_digest
from knowledge.matching.weights import Weights, load_weights
from knowledge.models import DecisionKind, Message


@dataclass(frozen=True, slots=True)
class Answered:
    """The curated text that answers.

    `others` are the texts for further questions in the same message, in the order they were asked (at most two).
    """

    entry: EntryText
    decision: Decision
    others: tuple[EntryText, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing the asker may mean: the entry, its title (what a tap sends), and what the list shows for it.

    `label` is the title, or, where a decisive fact is asked for, the fact's value (公司辞退我).
    """

    entry_id: str
    title: str
    label: str


@dataclass(frozen=True, slots=True)
class Clarified:
    """What the asker may mean, best first; two to four choices.

    `question` asks for the one fact that tells the choices apart; None where they are just listed by title.
    """

    choices: tuple[Choice, ...]
    decision: Decision
    question: str | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Nothing that could be said with confidence. `is_law` tells a question of law from anything else.

    `referral` is the hotline to name for a matter outside our domains, if there is one. `is_withheld`: an entry would
    answer, but is not to be given since its sign-off has lapsed.
    """

    is_law: bool
    referral: str | None
    decision: Decision
    is_withheld: bool = False


Outcome = Answered | Clarified | Unresolved
_WORTH_SORTING = 5.0  # score 0-100 from which the nearest entry's field is taken for the question's


@dataclass(frozen=True, slots=True)
class _Published:
    """Texts and titles read so far of one content version, on one day; what is not there was not asked for yet.

    What is `withheld` is neither given nor offered.
    """

    version: int
    day: date
    withheld: frozenset[str] = frozenset()
    texts: dict[str, EntryText] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def text(self, session: Session, entry_id: str) -> EntryText | None:
        """The text of a published entry; None for any other, and for one that is withheld."""
        if entry_id in self.withheld:
            return None
        if entry_id not in self.texts:
            if not curation.titles_of(session, [entry_id]):
                return None
            text = curation.published_text(session, entry_id, self.day)
            related = tuple(one for one in text.related if one[0] not in self.withheld)
            self.texts[entry_id] = replace(text, related=related)
        return self.texts[entry_id]

    def titles_of(self, session: Session, entry_ids: list[str]) -> dict[str, str]:
        """Titles of the published ones among the entries."""
        if missing := [one for one in entry_ids if one not in self.titles]:
            self.titles.update(curation.titles_of(session, missing))
        return {one: self.titles[one] for one in entry_ids if one in self.titles and one not in self.withheld}


class Matcher:
    """The engine in force; threads may ask while a newer one is built.

    One per process. `refresh` looks whether newer content was published, or a classifier for it is ready, and
    swaps the engine whole.
    """

    def __init__(self, database: Database, weights: Weights | None = None) -> None:
        """Nothing is read before the first `refresh`. `weights`: instead of those in force in the database."""
        self.database = database
        self._given = weights
        self._building = threading.Lock()
        # One thread at a time: several would hand the interpreter's lock to and fro around each short numeric call,
        # which made eight concurrent turns take twice the processor time of eight in a row.
        self._deciding = threading.Lock()
        self._engine = Engine(build_index((), version=0), weights or load_weights())
        self._outside: dict[str, OutsideForm] = {}
        self._day: date | None = None
        self._published = _Published(0, date.min)
        self._weights_digest: str | None = None
        self._model_stored_under: int | None = None
        self._training_digest = ""

    @property
    def weights_digest(self) -> str | None:
        """What names the numbers in use in the database (`WeightsUsed`); None for numbers given from outside."""
        return self._weights_digest

    @property
    def engine(self) -> Engine:
        """The engine in force."""
        return self._engine

    @property
    def index(self) -> Index:
        """The index in force."""
        return self._engine.index

    @property
    def is_trained(self) -> bool:
        """Whether the classifier in use was trained on what this content would train it on."""
        return self._engine.model is not None and self._engine.model.version == self._engine.index.version

    def refresh(self, today: date) -> bool:
        """Take up newer content, a dated text that came into force, or a newer classifier; True if there was any."""
        with self._building:
            with self.database.reading() as session:
                version = curation.content_version(session)
                newest = classifier.newest_version(session)
                model = self._engine.model
                if newest is not None and newest != self._model_stored_under:
                    model = classifier.load(session, newest)
                    self._model_stored_under = newest if model else None
                has_new_content = version != self._engine.index.version or today != self._day
                if not has_new_content:
                    if model is self._engine.model:
                        return False
                    self._engine = replace(self._engine, model=self._as_of(version, model))
                    return True
                documents = curation.published_documents(session, today)
                given = matching_data.load(session)
                weights = self._given or tuning.weights_in_force(session)
            if self._given is None and (self._weights_digest is None or weights != self._engine.weights):
                self._weights_digest = self._remember(weights)
            documents += [form.document() for form in given.outside]
            index = build_index(documents, version, given.lexicon, given.axes)
            self._outside = {form.id: form for form in given.outside}
            self._training_digest = training_digest(index.documents, given.lexicon)
            self._engine, self._day = Engine(index, weights, self._as_of(version, model), given.facts), today
            return True

    def _as_of(self, version: int, model: Model | None) -> Model | None:
        """A classifier trained on the same as this content would train it on is this content's: none is trained anew.

        A signature or a yearly figure publishes a version in which every wording stands as before.
        """
        if model is None or model.trained_on != self._training_digest:
            return model
        return replace(model, version=version)

    def decide(self, text: str) -> Decision:
        """The decision for a message's text; reads no database."""
        with self._deciding:
            return decide(self._engine, text)

    def keeps_apart(self, first: str, second: str) -> bool:
        """Whether no one answer may go to both normalised texts: one denies the other, or they name opposite facts."""
        return clusters.polarity_differs(first, second) or self.index.guard.axes.oppose(first, second)

    def outcome(self, session: Session, decision: Decision, today: date) -> Outcome:
        """What a decision means for the asker, with the texts it needs.

        An entry archived since the index was built is no answer any more: the question is then unresolved.
        """
        published = self._published_now(session, today)
        match decision.kind:
            case Kind.ANSWER:
                wanted = [one.ranked[0].id for one in (decision, *decision.others)]
                texts = [text for one in wanted if (text := published.text(session, one)) is not None]
                if texts and texts[0].id == wanted[0]:
                    return Answered(texts[0], decision, tuple(texts[1:]))
            case Kind.CLARIFY:
                titles = published.titles_of(session, [choice.id for choice in decision.choices])
                labels = decision.labels or tuple(choice.title for choice in decision.choices)
                choices = tuple(
                    Choice(choice.id, titles[choice.id], label if decision.labels else titles[choice.id])
                    for choice, label in zip(decision.choices, labels, strict=True)
                    if choice.id in titles
                )
                if len(choices) >= 2:
                    return Clarified(choices, decision, decision.question)
        outside = self._outside.get(decision.outside or "")
        return Unresolved(
            is_law=decision.scope is not Scope.SMALLTALK,
            referral=outside.referral if outside else None,
            decision=decision,
            is_withheld=decision.kind is Kind.ANSWER and decision.ranked[0].id in published.withheld,
        )

    def is_withheld(self, session: Session, entry_id: str, today: date) -> bool:
        """Whether an entry is not to be given since its sign-off has lapsed."""
        return entry_id in self._published_now(session, today).withheld

    def titles_of(self, session: Session, entry_ids: list[str], today: date) -> dict[str, str]:
        """Titles of those among the entries that are published and not withheld."""
        return self._published_now(session, today).titles_of(session, entry_ids)

    def log(self, message: Message, outcome: Outcome) -> None:
        """Keep what was decided and on what evidence in a message's row, so that any answer can be replayed."""
        ranked = outcome.decision.ranked
        message.candidates = [
            {"id": one.id, "score": one.score, "evidence": {k: round(v, 4) for k, v in one.evidence.items()}}
            for one in ranked
        ]
        message.score = ranked[0].score if ranked else None
        message.reason = outcome.decision.reason
        message.domain = field_of(message)
        model = self._engine.model
        message.weights_digest, message.classifier_version = self._weights_digest, model.version if model else None
        match outcome:
            case Answered(entry=entry):
                message.decision = DecisionKind.ANSWERED
                message.entry_id, message.entry_version_id = entry.id, entry.version_id
            case Clarified():
                message.decision = DecisionKind.CLARIFIED
            case Unresolved():
                message.decision = DecisionKind.UNRESOLVED

    def _remember(self, weights: Weights) -> str:
        """Before anything is decided with them, so that each decision can name them."""
        digest = tuning.digest_of(weights)
        with self.database.reading() as session:
            is_known = tuning.is_known(session, digest)
        if not is_known:
            with self.database.writing() as session:
                tuning.remember(session, weights)
        return digest

    def _published_now(self, session: Session, today: date) -> _Published:
        """What was read of the content in force, or nothing yet where that has just changed.

        The version is asked of the database, not of the index, which follows up to a second later: whatever
        changes what an asker reads publishes a new version, so an entry archived a moment ago is not answered.
        It is asked before the texts are read, so a text can only be newer than its version, never older.
        """
        version = curation.content_version(session)
        published = self._published
        if (published.version, published.day) != (version, today):
            with session.no_autoflush:  # what the caller is still writing is no content
                withheld = signing.withheld(session, today)
            published = self._published = _Published(version, today, withheld)
        return published


def field_of(message: Message) -> str | None:
    """The field of law of the entry given, else of the nearest, for the colleagues' list and the figures.

    None where nothing is near.
    """
    if message.entry_id is not None:
        return message.entry_id.split(".", 1)[0]
    nearest = message.candidates[0] if message.candidates else None
    return str(nearest["id"]).split(".", 1)[0] if nearest and nearest["score"] >= _WORTH_SORTING else None
