"""What the component that draws the answers gets: safe HTML, and plain text for everything else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from lib.calls import unsupported_params
from lib.calls.records import CallRecord
from lib.calls.runner import Answer
from lib.core import parts
from lib.core.errors import recorded
from lib.core.i18n import N_, joined
from lib.core.parts import Part, text_of
from lib.core.rich_text import as_typed, beginning_to_html, text_of_html, to_html, typeset
from lib.core.segmentation import Length, beginning
from lib.sweep import word_diff
from lib.sweep.filters import KINDS, Filter, Kind, kinds_of
from lib.sweep.findings import has_words
from lib.sweep.findings import text_of as answer_of
from lib.sweep.length_words import length_words
from lib.sweep.plan import Cell, Plan, in_order, warmth
from lib.sweep.progress import Progress
from lib.sweep.ratings import Rating
from lib.sweep.rule_check import NO_RULES, RuleCheck
from lib.sweep.rule_words import broken_by, rule_words
from lib.sweep.run import SweepRun
from lib.sweep.verdict import temperature_name
from lib.ui.shared.answer_parts import CALLED
from lib.ui.shared.error_box import services_words
from lib.ui.shared.figures import SENT_BEFORE, summary
from lib.ui.shared.live_text import CURSOR, waiting
from lib.ui.shared.texts import _, _n
from lib.ui.sweep import equal_answers
from lib.ui.sweep.hidden_names import hidden, unnamed
from lib.ui.sweep.open_study import PAGE
from lib.ui.sweep.view_state import KIND_HELP, READ, Place

HEAD, SEEN_BEFORE = 400, 60
"""Characters of an answer that the grid has, and those of them before a word that was searched for."""
WORDS = 200
"""Characters of what a service said that a cell has; its details have all."""
MOST = 20_000
"""Characters of an answer that can be read beside others; all of a longer one is in its details."""
COLUMNS = 3
FEW_BROKEN = 2
"""So many broken rules are named in the grid, each with a mark of its own."""
MARKS = {
    "cut": N_("cut off"),
    "blank": N_("blank"),
    "duplicate": N_("same text as {place}"),
    "refused": N_("refused"),
    "filtered": N_("stopped by content rules"),
    "fixed": N_("one temperature"),
}
MARKS_MEAN = {
    "cut": KIND_HELP["cut"],
    "blank": N_("the model wrote nothing"),
    "duplicate": N_("word for word an earlier answer of the same model"),
    "refused": N_("the model declined to answer"),
    "filtered": N_("the service’s content rules stopped it"),
    "fixed": N_("this model takes no temperature, so it was asked once for all"),
}
"""What the pointer tells of a mark."""
BADGES = {"fastest": N_("fastest"), "cheapest": N_("cheapest"), "shortest": N_("shortest")}


@dataclass(frozen=True)
class Answers:
    """A sweep's answers as they stand, and how they are looked at; `names` are what models are called here, in
    their order, `picked` is the row and the column of what was picked."""

    progress: Progress
    run: SweepRun | None
    ratings: Mapping[str, Rating]
    filter: Filter
    view: str
    place: Place
    names: Mapping[int, str]
    language: str
    picked: tuple[int, int] | None = None
    rules: RuleCheck = NO_RULES
    plan: Plan | None = None
    """What was asked, where there are rules: words that they look for may be each input's own."""

    @cached_property
    def cells(self) -> Mapping[str, dict[str, Any]]:
        """Every cell of the grid by its place, looked at or not. What has not changed since an earlier look is the
        same object: of 2,000 cells few are new at each."""
        return {_place(cell): self._known(cell) for cell in self.progress.cells}

    def _known(self, cell: Cell) -> dict[str, Any]:
        call, spared = self.progress.results.get(cell.id), cell.id in self.progress.spared
        if call is None or call.state == "started" or spared:
            return self._marked(cell, self._not_ended(cell, call, spared))
        findings, id = self.progress.findings, cell.id
        rating, length = self.ratings.get(call.id), findings.lengths.get(id)
        # What is found of an answer depends on the others.
        same = (findings.same.get(id), id in findings.equal, id in findings.different)
        found = (findings.marks.get(id), findings.badges.get(id), *same, self._stars_of_equal.get(id))
        broken = self.rules.broken(call.id)
        of = (call, rating, length, found, broken, id in self._failed, (cell.row, cell.column) == self.picked)
        known = self._drawn.get(id)
        if known is None or known[0] != of:
            known = of, self._marked(cell, self._ended(call, cell, rating, length) | self._found(cell))
            self._drawn[id] = known
        return known[1]

    @cached_property
    def _drawn(self) -> "dict[str, tuple[object, dict[str, Any]]]":
        """What was made of answers at an earlier look of this kind, by cell id, and of what."""
        return self.progress.drawn_for((self.filter.text, self.language, self._hidden, self._repeats))

    @cached_property
    def _failed(self) -> frozenset[str]:
        return self.progress.failed_ids(self.run.failed if self.run else ())

    @property
    def _runs(self) -> bool:
        return self.run is not None and not self.run.finished

    @cached_property
    def offered(self) -> tuple[Kind, ...]:
        """The kinds that can be looked for: those of which there are answers, and those that are looked for already."""
        there = {kind for cell in self.cells.values() for kind in cell["kinds"]}
        return tuple(kind for kind in KINDS if kind in there or kind in self.filter.kinds)

    def _kinds(self, cell: Cell) -> tuple[Kind, ...]:
        return kinds_of(cell.id, self.progress.results, self.progress.findings, self.ratings, self._failed)

    def _marked(self, cell: Cell, found: dict[str, Any]) -> dict[str, Any]:
        """A cell with what it is looked for by, and whether it was picked."""
        kinds = self._kinds(cell)
        if (cell.row, cell.column) == self.picked:
            return {**found, "kinds": kinds, "picked": True, "badges": [_("your pick"), *found["badges"]]}
        return {**found, "kinds": kinds} if kinds else found

    def look(self) -> dict[str, Any]:
        """How the cells are looked at: all but the cells themselves."""
        cells, place = self.progress.cells, self.place
        among = self.filter.among(cells, self.progress.results, self.rules)
        temperatures = sorted({(cell.column, cell.temperature) for cell in cells}, key=lambda one: warmth(one[1]))
        repeats = self._repeats
        found = {
            "view": self.view,
            "words": _words() | (_words_of_one_model() if self._repeats_beside else {}),
            "models": [
                {"row": row, "name": name, "note": self._of_models.get(row, "")} | self._in_parts(row, name)
                for row, name in self.names.items()
            ],
            "temperatures": [{"column": column, "name": temperature_name(value)} for column, value in temperatures],
            "repeats": repeats,
            "beside": self._repeats_beside,
            "runs": self._runs,
            "among": None if len(among) == len(cells) else [_place(cell) for cell in among],
            "kinds": self.filter.kinds,
            "all_kinds": self.offered,
            "find": self.filter.text,
            "first": place.first,
            "repeat": min(place.repeat, repeats - 1),
            "place": {"id": place.number, "row": place.row, "column": place.column, "repeat": place.repeat},
            "read": {},
            "compares": place.pair is not None,
        }
        if self.view == READ:
            found |= self._reading(min(place.repeat, repeats - 1))
        return found

    @property
    def kept(self) -> list[Cell]:
        """The cells that are looked at."""
        if not self.filter.on:
            return list(self.progress.cells)
        among = self.filter.among(self.progress.cells, self.progress.results, self.rules)
        return [cell for cell in among if self.filter.kind_kept(self.cells[_place(cell)]["kinds"])]

    def _reading(self, repeat: int) -> dict[str, Any]:
        """What Read shows besides: columns side by side with their whole texts, or two answers that are compared."""
        kept = self.kept
        there = {self._column(cell) for cell in kept}
        columns = sorted(there) if self._repeats_beside else [row for row in self.names if row in there]
        first = max(0, min(self.place.first, len(columns) - 1))
        shown = set(columns[first : first + COLUMNS])
        # Of a place whose answer of this repeat is left out: the first that is looked at.
        among = [cell for cell in kept if self._column(cell) in shown]
        read = {(self._column(cell), cell.column): cell for cell in reversed(among)}
        read |= {(self._column(cell), cell.column): cell for cell in among if cell.repeat == repeat}
        texts = self._texts(list(read.values()))
        return {"first": first, "read": texts, "pair": self._pair()}

    @cached_property
    def _repeats_beside(self) -> bool:
        """Whether the repeats stand beside each other: where one model alone is looked at."""
        return stand_beside(self.progress.cells, self.filter)

    def _column(self, cell: Cell) -> int:
        """Which of the columns that are read an answer stands in, by its model, or by its repeat."""
        return cell.repeat if self._repeats_beside else cell.row

    @cached_property
    def _of_models(self) -> Mapping[int, str]:
        """What holds for all answers of a model, by row, where there is something to say."""
        results, marks = self.progress.results, self.progress.findings.marks
        good = [cell for cell in self.progress.cells if cell.id in results and results[cell.id].state == "ok"]
        rows = {cell.row for cell in good} - {cell.row for cell in good if "fixed" not in marks[cell.id]}
        return {row: _("one temperature") for row in rows}

    def _in_parts(self, row: int, name: str) -> dict[str, str]:
        """A model's name for a narrow head: without its service, which stands below, where it is named with it."""
        service, _slash, short = name.partition("/") if name == self._asked[row] else ("", "", name)
        return {"short": short, "service": service}

    @cached_property
    def _asked(self) -> Mapping[int, str]:
        """The models' whole names, by row."""
        return self.progress.models

    @cached_property
    def _repeats(self) -> int:
        """How many answers of a setting there are."""
        return max((cell.repeat for cell in self.progress.cells), default=0) + 1

    @cached_property
    def _hidden(self) -> bool:
        """Whether the models' names are hidden; looked up once for all cells."""
        return hidden()

    def _not_ended(self, cell: Cell, call: CallRecord | None, spared: bool) -> dict[str, Any]:
        """A cell of the grid that is being written, or has no answer."""
        running = self._running(cell)
        if running is not None:
            return _without("running", html=head(_said(running), cursor=True), wait=waiting(running))
        if call is not None and call.state == "started" and self.run is not None and not self.run.finished:
            # In another process: what the store has of it so far.
            return _without("running", html=head(answer_of(call), cursor=True), wait="")
        if self.run is not None and cell.id in self.run.failed:
            return _without("error", error=unnamed(self.run.failed[cell.id].sentence(_), self.progress))
        if spared:
            return _without("missing", wait=_("One temperature: this model takes none, so it was asked once for all."))
        if cell.id in self.progress.stopped:
            return _without("missing", wait=_("Not sent: this model is not there."))
        return self._unsent

    @cached_property
    def _unsent(self) -> dict[str, Any]:
        """A cell without an answer; one for all of them, as at first that is nearly every cell."""
        return _without("missing", wait=_("waits") if self._runs else _("not sent, or cut off"))

    def _ended(self, call: CallRecord, cell: Cell, rating: Rating | None, length: Length | None) -> dict[str, Any]:
        return {
            "state": call.state,
            "html": head(answer_of(call), self.filter.text),
            "figures": figures(call, length),
            "notes": [*self._rated_elsewhere(cell), *self._said_with(call), *_notes(call)],
            "error": unnamed(self._error(call), self.progress),
            "kinds": (),
            "stars": rating.stars if rating else None,
            "rated": has_words(call),
        }

    def _rated_elsewhere(self, cell: Cell) -> Iterator[str]:
        """That a text has no stars here, but where the model wrote it before or again."""
        if found := self._stars_of_equal.get(cell.id):
            other, stars = found
            words = _n("The same text has {count} star ({place})", "The same text has {count} stars ({place})", stars)
            yield words.format(count=stars, place=self._earlier(other, cell))

    @cached_property
    def _stars_of_equal(self) -> Mapping[str, tuple[Cell, int]]:
        """For answers without stars, by cell id: an equal one of the same model that has some, and how many."""
        findings, results = self.progress.findings, self.progress.results
        rated: dict[str, tuple[Cell, int]] = {}
        without: dict[str, str] = {}
        for cell in self.progress.cells:
            if cell.id not in findings.equal:
                continue
            first = findings.same[cell.id].id if cell.id in findings.same else cell.id
            rating = self.ratings.get(results[cell.id].id)
            if rating is not None and rating.stars:
                rated.setdefault(first, (cell, rating.stars))
            else:
                without[cell.id] = first
        return {id: rated[first] for id, first in without.items() if first in rated}

    def _error(self, call: CallRecord) -> str:
        """What went wrong. Where the service's words are not shown, what is to be done, which leads to them, neither
        is."""
        if not call.error_kind:
            return ""
        return recorded(call.error_record, call.error_text).sentence(_, hint=not self._hidden)

    def _said_with(self, call: CallRecord) -> Iterator[str]:
        """The beginning of what the service said of a failure: it may hold a name, and is hidden with these."""
        error = recorded(call.error_record, call.error_text, call.error_kind)
        if words := "" if self._hidden else services_words(error):
            yield _("The service's words: {words}").format(words=beginning(words, WORDS))

    def _found(self, cell: Cell) -> dict[str, Any]:
        findings = self.progress.findings
        marks, broken = findings.marks.get(cell.id, ()), self._broken(cell)
        few = broken if len(broken) <= FEW_BROKEN else self._so_many_broken(broken)
        meaning = [*(_(MARKS_MEAN[mark]) for mark in marks), *few.values()]
        return {
            "marks": [*(self._mark(mark, cell) for mark in marks), *few],
            **({"meaning": meaning} if meaning else {}),
            "badges": [
                self._words_of[badge]
                for badge in findings.badges.get(cell.id, ())
                if badge != "cheapest" or not self._hidden
            ],
        }

    def _mark(self, mark: str, cell: Cell) -> str:
        same = self.progress.findings.same.get(cell.id)
        words = self._words_of[mark]
        return words.format(place=self._earlier(same, cell)) if same and mark == "duplicate" else words

    def _broken(self, cell: Cell) -> dict[str, str]:
        """What an answer is like that breaks rules, in a few words for each, and what the rule asks."""
        call = self.progress.results.get(cell.id)
        if call is None or self.plan is None:
            return {}
        words = broken_by(cell, call.id, self.rules, self.plan, PAGE)
        asked = [rule_words(rule, self.plan, PAGE) for rule in self.rules.broken(call.id)]
        told = [_("breaks the rule: {rule}").format(rule=rule) for rule in asked]
        return dict(zip(words, told, strict=True))

    def _so_many_broken(self, broken: Mapping[str, str]) -> dict[str, str]:
        """Instead of many marks one, in the grid: where the answer is read it has all of them."""
        words = _n("breaks {count} rule", "breaks {count} rules", len(broken)).format(count=len(broken))
        return {words: _("; ").join(broken)}

    def _earlier(self, same: Cell, cell: Cell) -> str:
        """Which of a model's answers another is the same as."""
        temperature, number = temperature_name(same.temperature), same.repeat + 1
        if same.column == cell.column:
            return _("answer {number}").format(number=number)
        if self._repeats == 1:
            return _("at {temperature}").format(temperature=temperature)
        return _("answer {number} at {temperature}").format(number=number, temperature=temperature)

    @cached_property
    def _words_of(self) -> Mapping[str, str]:
        """Marks and badges in the visitor's language; looked up once for all cells."""
        return {name: _(words) for name, words in (MARKS | BADGES).items()}

    def _running(self, cell: Cell) -> Answer | None:
        """The answer that is being written in a cell. Whether it is goes by its record, as the counts above do: an
        answer may be recorded a moment before its job ends, and end a moment after its record was read."""
        answer, call = self.run.answers.get(cell.id) if self.run else None, self.progress.results.get(cell.id)
        if answer is None or (call is None and answer.finished):
            return None
        return answer if call is None or (call.id == answer.id and call.state == "started") else None

    def _texts(self, cells: Sequence[Cell]) -> dict[str, Any]:
        """The whole texts of some cells, each with the words in which it differs from that of its model at the lowest
        temperature."""
        found: dict[str, Any] = {}
        lowest: dict[int, str] = {}
        for cell in in_order(cells):
            text = self._text(cell)
            if text is None:
                continue
            html = whole(*text)
            # One that is blank, or failed, is none that others could differ from.
            column = self._column(cell)
            before = lowest.setdefault(column, html) if text[0].strip() else html
            alike = equal_answers.words(self.progress, cell, self.ratings)
            told = self._all_broken(cell) | {
                "thinking": self._thinking(cell),
                "different": spans(before, html),
                "alike": alike,
            }
            # To the letter, to be copied, once all of it is there.
            found[_place(cell)] = {"html": html, **({} if text[1] else {"text": text[0]}), **told}
        return found

    def _all_broken(self, cell: Cell) -> dict[str, Any]:
        """All marks of an answer, where the grid has one for many broken rules."""
        broken, marks = self._broken(cell), self.progress.findings.marks.get(cell.id, ())
        if len(broken) <= FEW_BROKEN:
            return {}
        meaning = [*(_(MARKS_MEAN[mark]) for mark in marks), *broken.values()]
        return {"marks": [*(self._mark(mark, cell) for mark in marks), *broken], "meaning": meaning}

    def _pair(self) -> list[dict[str, Any]] | None:
        """Two cells that are compared."""
        if self.place.pair is None:
            return None
        by_id = {cell.id: cell for cell in self.progress.cells}
        cells = [by_id[id] for id in self.place.pair if id in by_id]
        plain = [self._text(cell) or ("", False) for cell in cells]
        texts = [whole(*one) for one in plain]
        return [
            {
                **self.cells[_place(cell)],
                "id": _place(cell),
                "title": f"{self.names[cell.row]} · {_short_place(cell)}",
                "html": html,
                "text": text,
                "different": spans(other, html),
            }
            for cell, (text, _grows), html, other in zip(cells, plain, texts, reversed(texts), strict=True)
        ]

    def _text(self, cell: Cell) -> tuple[str, bool] | None:
        """A cell's text so far, and whether it still grows; None where there is no answer."""
        running, call = self._running(cell), self.progress.results.get(cell.id)
        if running is not None:
            return _said(running), True
        if call is None or call.state == "started":
            return ("", False) if self.run is not None and cell.id in self.run.failed else None
        return answer_of(call), False

    def _thinking(self, cell: Cell) -> str:
        running, call = self._running(cell), self.progress.results.get(cell.id)
        choices = running.reply.choices if running is not None else call.choices if call is not None else ()
        return whole(choices[0].reasoning, False) if choices and choices[0].reasoning else ""


def _without(state: str, **told: str) -> dict[str, Any]:
    """A cell that has no answer yet, with what is told of it."""
    return {"state": state, "html": "", "figures": "", "marks": [], "badges": [], "notes": [], "kinds": (), **told}


def stand_beside(cells: Sequence[Cell], found: Filter) -> bool:
    """Whether the repeats of a model stand beside each other: where no other model does."""
    rows = {cell.row for cell in cells if found.place_kept(cell)}
    return len(rows) == 1 and any(cell.repeat for cell in cells)


def head(text: str, term: str = "", cursor: bool = False) -> str:
    """The first lines of a text as safe HTML; where `term` stands further below, the lines around it."""
    found = text.casefold().find(term.casefold()) if term else 0
    begin = max(0, found - SEEN_BEFORE) if found > HEAD - SEEN_BEFORE else 0
    cut = beginning(text[begin : begin + 2 * HEAD], HEAD)
    more = begin + len(cut) < len(text)
    return _head(("… " if begin else "") + cut, "…" if more else CURSOR if cursor else "")


def whole(text: str, grows: bool) -> str:
    """A text as safe HTML; the end of a very long one is in the details."""
    if len(text) <= MOST:
        return _whole(text, CURSOR if grows else "")
    left_out = _("… {count:,} more characters in the details").format(count=len(text) - MOST)
    # Behind the HTML: whatever the cut has left open, a code box or a list, is closed there.
    return _whole(text[:MOST], "…") + as_typed(left_out)


def _html(text: str, sign: str) -> str:
    """With a `sign` behind it the text is not whole."""
    return typeset(beginning_to_html(text, sign) if sign else to_html(text))


# Drawn once for every look at the same answer. Fewer of whole texts: each may take 100 kB.
_head = lru_cache(maxsize=4_096)(_html)
_whole = lru_cache(maxsize=256)(_html)


@lru_cache(maxsize=256)
def spans(before: str, after: str) -> list[int]:
    """The words in which one text, as HTML, differs from another: begin, end, begin, end."""
    found = word_diff.different(text_of_html(before), text_of_html(after))
    return [place for span in found for place in span]


def figures(call: CallRecord, length: Length | None) -> str:
    """The quiet line of an answer."""
    counted = [length_words(length, PAGE)] if length and length.count else []
    tokens = call.usage.completion_tokens
    if tokens is not None:
        counted.append(_n("{count} token", "{count} tokens", tokens).format(count=tokens))
    # Who answered is a name too, and a price tells as much as one.
    shown = replace(call, model_answered="", cost=None) if hidden() else call
    return " · ".join([*counted, summary(shown, with_mark=False)])


def _notes(call: CallRecord) -> Iterator[str]:
    if call.sent_before and call.state == "ok":
        yield _(SENT_BEFORE)
    for name in unsupported_params.left_out(call.params_asked, call.params_sent):
        yield _("Fixed: this model does not take “{name}”.").format(name=name)
    yield from _beside_the_text(call.choice().parts)


def _beside_the_text(found: Sequence[Part]) -> Iterator[str]:
    """What an answer holds beside its text; its details show it."""
    if parts.of(found, "refusal"):
        yield _("The model declined to answer.")
    for part in parts.of(found, "tool_call"):
        yield joined([_(CALLED).format(name=text_of(part, "name")), text_of(part, "arguments")[:HEAD]], _)
    more = sum(len(parts.of(found, kind)) for kind in ("image", "audio", "source", "other"))
    if more:
        yield _n("{count} more thing in the details", "{count} more things in the details", more).format(count=more)


def _said(answer: Answer) -> str:
    return answer.reply.choices[0].text if answer.reply.choices else ""


def _place(cell: Cell) -> str:
    return f"{cell.row}_{cell.column}_{cell.repeat}"


def _short_place(cell: Cell) -> str:
    return f"{temperature_name(cell.temperature)} · {cell.repeat + 1}"


def _words() -> dict[str, str]:
    return {
        "grid": _("Answers: a column for each model, a row for each temperature"),
        "temperature": _("Temperature"),
        "models": _("Models"),
        "answer": _("Answer"),
        "back": _("Models before these"),
        "forward": _("Models after these"),
        "next": _("Next answer of this setting"),
        "stop": _("Stop this one"),
        "stars": _("stars"),
        "rate": _("Give stars: press one, or a key from 1 to 5"),
        "detail": _("Details"),
        "copy": _("Copy"),
        "copied": _("Copied"),
        # A pick is named above the answers.
        "pick": "" if hidden() else _("Pick"),
        "picked": _("Picked"),
        "thinking": _("Thinking"),
        "nothing": _("No answer here yet."),
        "left_out": _("What you look for leaves this answer out."),
        "all": _("Show all"),
        "tinted": _("Tinted: words that differ from the lowest temperature"),
        "pair": _("Tinted: words in which the two differ"),
        "close": _("Back to all"),
    }


def _words_of_one_model() -> dict[str, str]:
    """What is said where its answers stand beside each other."""
    return {
        "grid": _("Answers: a row for each temperature"),
        "models": _("Answers"),
        "back": _("Answers before these"),
        "forward": _("Answers after these"),
    }
