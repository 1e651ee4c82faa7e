"""Answering a question: from an asker's words to Answered, Clarified or Unresolved."""

import threading
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from knowledge import curation
from knowledge.content.outside import OutsideForm, read_outside
from knowledge.curation import EntryText
from knowledge.database import Database
from knowledge.matching.decide import Decision, Kind, Weights, decide, load_weights
from knowledge.matching.index import Index, Scope, build_index


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

    `referral` is the hotline to name for a matter outside our domains, if there is one.
    """

    is_law: bool
    referral: str | None
    decision: Decision


Outcome = Answered | Clarified | Unresolved


class Matcher:
    """The index in force and the numbers that go with it; threads may ask while a newer one is built.

    One per process. `refresh` looks whether newer content was published and swaps the index whole.
    """

    def __init__(self, database: Database, weights: Weights | None = None) -> None:
        """Nothing is read before the first `refresh`."""
        self.database = database
        self._outside: dict[str, OutsideForm] = {form.id: form for form in read_outside()}
        self._building = threading.Lock()
        self._index = build_index((), version=0)
        self._day: date | None = None
        self.weights = weights or load_weights()

    @property
    def index(self) -> Index:
        """The index in force."""
        return self._index

    def refresh(self, today: date) -> bool:
        """Build a new index if newer content is published or a dated text came into force; True if so."""
        with self._building:
            with self.database.reading() as session:
                version = curation.content_version(session)
                if version == self._index.version and today == self._day:
                    return False
                documents = curation.published_documents(session, today)
            documents += [form.document() for form in self._outside.values()]
            self._index, self._day = build_index(documents, version), today
            return True

    def decide(self, text: str) -> Decision:
        """The decision for a message's text; reads no database."""
        return decide(self._index, text, self.weights)

    def outcome(self, session: Session, decision: Decision, today: date) -> Outcome:
        """What a decision means for the asker, with the texts it needs.

        An entry archived since the index was built is no answer any more: the question is then unresolved.
        """
        match decision.kind:
            case Kind.ANSWER if decision.ranked[0].id in curation.titles_of(session, [decision.ranked[0].id]):
                return Answered(curation.published_text(session, decision.ranked[0].id, today), decision)
            case Kind.CLARIFY:
                titles = curation.titles_of(session, [choice.id for choice in decision.choices])
                choices = tuple(Choice(c.id, titles[c.id], titles[c.id]) for c in decision.choices if c.id in titles)
                if len(choices) >= 2:
                    return Clarified(choices, decision)
        outside = self._outside.get(decision.outside or "")
        return Unresolved(
            is_law=decision.scope is not Scope.SMALLTALK,
            referral=outside.referral if outside else None,
            decision=decision,
        )
