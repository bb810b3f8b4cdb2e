"""Parses an answer into deltas, whether it comes as an event stream or as one JSON body.

`AnswerReader` is fed bytes and does no I/O. It knows what makes an answer whole, so that a cut one is never taken
for a short one.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lib.core.errors import Blocked, BrokenOff, CutOff, Empty, Malformed
from lib.core.parts import Part
from lib.core.reply import Delta
from lib.gateway.answer_parts import AnswerParts
from lib.gateway.dialects import (
    BREAKS,
    content_in,
    finish_reason,
    indexes_of,
    is_chunk,
    piece_of,
    reasoning_in,
    refusal_in,
    text_in,
    transcript_in,
)
from lib.gateway.error_mapping import error_from, is_error, is_surely_error
from lib.gateway.error_redaction import masked
from lib.gateway.key_masking import KNOWN, Forms, KeyMasker
from lib.gateway.response_info import ResponseInfo
from lib.gateway.sse import DONE, LIMIT, Event, EventReader, Unreadable, json_value, json_values
from lib.gateway.thinking import Thinking
from lib.gateway.usage_report import UsageReports, reports_in
from lib.gateway.whole_characters import WholeCharacters

MOST_CHOICES = 128
MOST_STORED_CHOICES = 4_096
"""Of a plan that was stored before `n` had an upper bound."""
_SAMPLE = 2_000
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_MOST_BLANK = 65_536
_FRAMED = re.compile(rb"(\xef\xbb\xbf)?\s*(:|data|event|id|retry)")


class AnswerReader:
    """One answer as it grows: `feed` it bytes, `close` it at the end, then `verify` that it is whole."""

    def __init__(self, info: ResponseInfo, choices: int = 1) -> None:
        self._info = info
        self._keys = KNOWN.forms_with(info.secret)
        self._asked = choices
        self._most_choices = max(MOST_CHOICES, min(choices, MOST_STORED_CHOICES))
        self._sample = b""
        self._head = b""
        self._strange = False
        self._remark: Any = None
        self._body: list[bytes] | None = None
        self._body_size = 0
        self._first_line: Any = None
        self._parsed = False
        self._events: EventReader | None = None
        self._choices: dict[int, _Choice] = {}
        self._usage = UsageReports(choices)
        self._of_one_choice = False
        self._model = ""
        self._named = False
        self._request_id = info.request_id
        self._values = 0
        self._characters = 0
        self.progress = 0
        """Grows with all that counts as a sign of life: data, but no comments and no pings."""
        self.done = False

    @property
    def begun(self) -> bool:
        """Whether the answer itself has begun, rather than only its frame: models may think long in silence."""
        if self._body is not None:
            return True
        return any(choice.begun or choice.finish for choice in self._choices.values())

    @property
    def finished(self) -> bool:
        """Whether all choices that began have ended with a finish reason."""
        return bool(self._choices) and all(choice.finish for choice in self._choices.values())

    @property
    def ended(self) -> bool:
        """Whether the end of the answer has been seen, even if more was asked for."""
        return self.done or self.finished or self._parsed

    @property
    def complete(self) -> bool:
        """Whether nothing but usage is still to come."""
        return self.done or (self.finished and len(self._choices) >= self._asked)

    def feed(self, data: bytes) -> Iterator[Delta]:
        """The deltas that `data` completes, one by one, so that none is lost when what follows it is an error; raises
        the error that the service sent, or Malformed."""
        # Kept for error texts: by the time something turns out to be no answer, its beginning has been parsed away.
        if len(self._sample) < _SAMPLE:
            self._sample += data[: _SAMPLE - len(self._sample)]
        if self._body is None and self._events is None:
            data = self._sniffed(data)
        if self._body is not None:
            data = self._gathered(data)
        if self._events:
            yield from self._read(self._events.feed(data))

    def close(self, broken: bool = False) -> list[Delta]:
        """What only the end of the answer tells: held-back text and the usage. `broken`: it is known to be cut."""
        deltas = list(self._read(self._events.close())) if self._events else []
        if self._body is not None:
            deltas += self._whole_body(b"".join(self._body), broken)
        deltas += self.flush()
        # A completion of 0 tokens beside text is a gateway's placeholder, not a count.
        spoken = any(choice.characters for choice in self._choices.values())
        usage = self._usage.settled(self._of_one_choice, spoken, self._info.cost)
        return [*deltas, Delta(usage=usage)] if usage else deltas

    def flush(self) -> list[Delta]:
        """The text that is held back, where nothing is to come any more."""
        return [
            self._delta(index, *texts, None, parts=parts)
            for index, choice in self._choices.items()
            for texts, parts in [(choice.flush(), choice.all_parts())]
            if any(texts) or parts
        ]

    def verify(self) -> None:
        """Raise CutOff (or BrokenOff), Malformed, Blocked or Empty unless the answer is whole and says something."""
        if not self._values and self._remark is not None:
            raise error_from(self._info.with_body(self._remark))
        if not self._values and (self._strange or not self.done):
            framed = not self._strange and (not self._sample.strip() or _FRAMED.match(self._sample))
            raise CutOff() if framed else self._malformed()
        if self._events and not self._finished_enough() and (self._choices or not self.done):
            raise BrokenOff() if self.done else CutOff()
        reasons = {choice.finish for choice in self._choices.values()}
        if BREAKS & {reason.lower() for reason in reasons if reason}:
            raise BrokenOff()
        if not self._says_something():
            raise Blocked(status=200) if "content_filter" in reasons else Empty(too_short="length" in reasons)

    def _finished_enough(self) -> bool:
        """All choices have a finish reason; or text, usage and [DONE] have all come: LiteLLM passes on only the first
        choice's reason, and some services send none."""
        return self.finished or (self.done and self._usage.any_counts and self._says_something())

    def _malformed(self) -> Malformed:
        return Malformed(self._excerpt(), packing=self._info.packing)

    def _excerpt(self) -> str:
        return masked(self._sample.decode("utf-8", "replace"), self._info.secret)

    def _says_something(self) -> bool:
        choices = self._choices.values()
        return any(choice.says_something or (choice.thoughts and choice.finish == "length") for choice in choices)

    def _sniffed(self, data: bytes) -> bytes:
        """Decide by the first byte that is not blank what this is; the data from there on, empty while undecided."""
        # Neither the content type nor `stream: true` can be trusted: gateways answer a stream with one JSON body, and
        # the other way round.
        head = self._head + data
        seen = head.removeprefix(_BOM).lstrip(_BLANK)
        if not seen or _BOM.startswith(seen):
            self._head = head if len(head) < _MOST_BLANK else b""
            return b""
        # A web page with status 200: a proxy's login or a wrong address.
        if seen.startswith(b"<"):
            raise error_from(self._info.with_body(seen.decode("utf-8", "replace")))
        if seen.startswith((b"{", b"[")):
            self._body = []
            return seen
        self._events = EventReader(bare_json=True)
        return head

    def _gathered(self, data: bytes) -> bytes:
        """Keep `data` until the end of the body; all that is kept, where it turns out to be a stream of JSON lines."""
        assert self._body is not None
        self._body.append(data)
        self._body_size += len(data)
        self.progress += bool(data.strip())
        if self._body_size > LIMIT:
            raise Malformed("The answer is longer than 16 MiB.")
        if self._first_line is None and b"\n" in data:
            whole = b"".join(self._body)
            self._first_line = json_value(whole.partition(b"\n")[0].decode("utf-8", "replace"))
            if is_chunk(self._first_line):
                self._body, self._events = None, EventReader(bare_json=True)
                return whole
        return b""

    def _whole_body(self, body: bytes, broken: bool) -> list[Delta]:
        value = json_value(body.decode("utf-8", "replace"))
        if body.startswith(DONE.encode()):
            self.done = True
        elif value is Unreadable and not broken:
            raise self._malformed() if isinstance(self._first_line, dict) else CutOff(self._excerpt())
        if isinstance(value, dict) and "timings" in value and self._asked > 1:
            self._of_one_choice = True  # llama.cpp's server counts only the first of several choices here
        self._parsed = value is not Unreadable
        return list(self._value(value))

    def _read(self, events: list[Event]) -> Iterator[Delta]:
        for event in events:
            if event.name == "ping":
                continue
            for value in json_values(event.data):
                yield from self._event(event, value)

    def _event(self, event: Event, value: Any) -> Iterator[Delta]:
        """One value in the data of an event."""
        if value == DONE:
            self.done = True
            self.progress += 1
            return
        if self.done:
            # Some gateways send usage only there; text would belong to no answer.
            self._count(value)
            return
        if event.name == "error" and not is_error(value):
            value = {"error": event.data if value is Unreadable else value}
        self._strange = self._strange or (value is Unreadable and bool(event.data.strip()))
        # “searching the web”, “done”: a complaint only where no answer comes beside it.
        if is_error(value) and not is_surely_error(value) and (self.finished or event.name not in ("message", "error")):
            self._remark = self._remark or value
            return
        yield from self._value(value)

    def _value(self, value: Any) -> Iterator[Delta]:
        """One JSON value of the answer: a chunk, a whole completion, or an error with status 200."""
        if isinstance(value, dict) and value.get("type") == "ping":
            return
        if is_error(value):
            raise error_from(self._info.with_body(value))
        if not isinstance(value, dict) or not ("choices" in value or "usage" in value or reports_in(value)):
            self._strange = self._strange or value is not Unreadable
            return
        self._values += 1
        self.progress += 1
        self._model = self._model or self._keys.masked(text_in(value.get("model")))
        choices = value.get("choices")
        choices = choices if isinstance(choices, list) else []
        self._count(value)
        for index, choice in zip(indexes_of(choices, self._asked), choices, strict=True):
            if isinstance(choice, dict):
                yield from self._choice(index, choice, value)
        # Perplexity and xAI name the sources beside the choices, some after the last one has ended.
        if not choices and self._choices:
            yield from self._new_parts(min(self._choices), {}, value)

    def _count(self, value: Any) -> None:
        for report in reports_in(value) if isinstance(value, dict) else ():
            usage = self._usage.read(self._keys.masked_json(report))  # it is stored as it came
            if usage is not None:
                self._usage.add(usage, alone=not value.get("choices"))

    def _choice(self, index: int, choice: Mapping[str, Any], value: Mapping[str, Any]) -> Iterator[Delta]:
        # An absurd index would make a list that long.
        if index >= self._most_choices:
            return
        if index not in self._choices:
            self._choices[index] = _Choice(self._keys)
        state = self._choices[index]
        finish = self._keys.masked(finish_reason(choice.get("finish_reason")) or "")
        if finish == "error":
            raise error_from(self._info.with_body({"error": choice.get("error") or "The answer ended with an error."}))
        piece = piece_of(choice)
        text, reasoning = state.take(piece)
        moved = state.all_was_thought
        if finish:
            state.finish = finish
            last_text, last_reasoning = state.end_thinking()
            text, reasoning = text + last_text, reasoning + last_reasoning
        if text or reasoning or finish or moved:
            yield self._delta(index, text, reasoning, finish or None, moved)
        # Sources beside the choices are the answer's, and not once more each alternative's.
        yield from self._new_parts(index, piece, value if index == min(self._choices) else {})

    def _new_parts(self, index: int, piece: Mapping[str, Any], beside: Mapping[str, Any]) -> Iterator[Delta]:
        """The parts of a choice, where another one has begun."""
        parts = self._choices[index].take_parts(piece, beside)
        if parts:
            yield self._delta(index, "", "", None, parts=parts)

    def _delta(
        self,
        index: int,
        text: str,
        reasoning: str,
        finish: str | None,
        moved: bool = False,
        parts: tuple[Part, ...] | None = None,
    ) -> Delta:
        self._characters += len(text) + len(reasoning)
        if self._characters > LIMIT:
            raise Malformed("The answer is longer than 16 million characters.")
        # Once each: the request id with the first delta, the model as soon as a chunk has named it.
        request_id, self._request_id = self._request_id, ""
        model, self._named = ("" if self._named else self._model), self._named or bool(self._model)
        return Delta(
            index,
            text,
            reasoning,
            finish,
            model=model,
            request_id=request_id,
            all_was_thought=moved,
            parts=parts or None,
        )


class _Choice:
    """What has come of one choice."""

    def __init__(self, keys: Forms) -> None:
        self._keys = keys
        self._thinking = Thinking()
        self._text, self._reasoning = KeyMasker(keys), KeyMasker(keys)
        self._parts = AnswerParts()
        self._told = 0
        self._refused = False
        self._whole_text, self._whole_reasoning = WholeCharacters(), WholeCharacters()
        self.all_was_thought = False
        """Whether the piece taken last has shown that all text before it was reasoning."""
        self.characters = 0
        self.thoughts = 0
        self.finish: str | None = None

    @property
    def begun(self) -> bool:
        """Whether anything of the answer has come."""
        return bool(self.characters or self.thoughts or self._parts.count)

    @property
    def says_something(self) -> bool:
        """Whether it is an answer: words, or what stands in their place."""
        return bool(self.characters or self._parts.says_something)

    def take(self, piece: Mapping[str, Any]) -> tuple[str, str]:
        """The text and the reasoning in one delta or message."""
        thought = self._whole_reasoning.take(reasoning_in(piece))
        content = self._whole_text.take(self._content(piece))
        text, inline = self._thinking.split(content)
        self.all_was_thought = self._thinking.all_was_thought
        if self.all_was_thought:
            # What is held back belongs to the text that is moved.
            self.thoughts, self.characters = self.thoughts + self.characters, 0
            inline = self._text.take(inline) + self._text.flush()
        return self._counted(text, thought + inline)

    def _content(self, piece: Mapping[str, Any]) -> str:
        refusal = refusal_in(piece)
        content = content_in(piece) or transcript_in(piece)
        if refusal and not self._refused and (content or self.characters):
            refusal = f"\n\n{refusal}"
        self._refused = self._refused or bool(refusal)
        return content + refusal

    def take_parts(self, piece: Mapping[str, Any], beside: Mapping[str, Any]) -> tuple[Part, ...]:
        """All parts as they are, where another one has begun with this piece."""
        self._parts.take(piece, beside)
        return self.all_parts() if self._parts.count > self._told else ()

    def all_parts(self) -> tuple[Part, ...]:
        """All parts as they are."""
        self._told = self._parts.count
        masked: tuple[Part, ...] = tuple(map(self._keys.masked_json, self._parts.whole()))
        return masked

    def end_thinking(self) -> tuple[str, str]:
        """What the splitter still holds."""
        return self._counted(*self._thinking.flush())

    def flush(self) -> tuple[str, str]:
        """All that is still held. Not before the very end: a service may send more after its finish reason."""
        text, reasoning = self.end_thinking()
        text += self._text.flush() + self._whole_text.flush()
        reasoning += self._reasoning.flush() + self._whole_reasoning.flush()
        return text, reasoning

    def _counted(self, text: str, reasoning: str) -> tuple[str, str]:
        self.characters += len(text)
        self.thoughts += len(reasoning)
        return text and self._text.take(text), reasoning and self._reasoning.take(reasoning)
