"""Stores what somebody decides about a sweep: the pick, the rules its answers have to pass, how its report is to be."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection, select, update

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.store.schema import sweeps
from lib.sweep import repository
from lib.sweep.rules import Rule

Depth = Literal["director", "full"]
LONGEST_TEXT = 20_000


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What a report says and shows. A `title` of "" is the sweep's; `language` is a catalogue's name."""

    title: str = ""
    author: str = ""
    recommendation: str = ""
    language: Annotated[str, Field(pattern="^(en|zh_Hans)$")] = "en"
    depth: Depth = "director"
    prompt: bool = True
    cost: bool = True

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ReportOptions":
        """Stored options; what another version has kept beside them is left out."""
        return cls(**{field.name: kept[field.name] for field in fields(cls) if field.name in kept})


@dataclass(frozen=True, slots=True)
class Decision:
    """`pick` is the id of the cell whose model and temperature somebody chose."""

    pick: str | None = None
    rules: tuple[Rule, ...] = ()
    report: ReportOptions | None = None


NOTHING_DECIDED = Decision()


def of_sweep(conn: Connection, owner: str, sweep_id: str) -> Decision:
    """What was decided about an owner's sweep; nothing where this owner has none of that id."""
    columns = (sweeps.c.pick, sweeps.c.rules, sweeps.c.report)
    row = conn.execute(select(*columns).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id)).first()
    if row is None:
        return NOTHING_DECIDED
    rules = tuple(Rule(**kept) for kept in row.rules or ())
    return Decision(row.pick, rules, ReportOptions.from_json(row.report) if row.report else None)


def pick(conn: Connection, owner: str, sweep_id: str, cell_id: str | None) -> None:
    """Choose the model and temperature of a cell; None takes the choice back."""
    _keep(conn, owner, sweep_id, pick=cell_id)


def set_rules(conn: Connection, owner: str, sweep_id: str, rules: Sequence[Rule]) -> None:
    """Keep the rules that a sweep's answers have to pass. Raises InvalidInput for one that is none."""
    _keep(conn, owner, sweep_id, rules=[asdict(rule.checked()) for rule in rules])


def take_rules(conn: Connection, owner: str, before: str, sweep_id: str) -> None:
    """Let a new sweep have the rules of the one it was run from, where they fit: the prompt is the same, or what is
    written around the same variables."""
    old, new = (repository.plan_of(conn, owner, id) for id in (before, sweep_id))
    if old and new and (old.prompt == new.prompt or set(old.variables) == set(new.variables) != set()):
        set_rules(conn, owner, sweep_id, of_sweep(conn, owner, before).rules)


def set_report(conn: Connection, owner: str, sweep_id: str, options: ReportOptions) -> None:
    """Keep how a sweep's report is to be. Raises InvalidInput for too long a text."""
    _keep(conn, owner, sweep_id, report=asdict(_checked(options)))


def change_report(conn: Connection, owner: str, sweep_id: str, field: str, value: Any, first: ReportOptions) -> None:
    """Change one of the report's options, as another tab may have changed the others; `first` is how they are where
    none were kept. Raises InvalidInput for too long a text."""
    kept = of_sweep(conn, owner, sweep_id).report or first
    _keep(conn, owner, sweep_id, report=asdict(_checked(replace(kept, **{field: value}))))


def _checked(options: ReportOptions) -> ReportOptions:
    if max(len(options.title), len(options.author), len(options.recommendation)) > LONGEST_TEXT:
        raise InvalidInput(N_("That is too long to keep: at most {most:,} characters."), most=LONGEST_TEXT)
    return options


def _keep(conn: Connection, owner: str, sweep_id: str, **values: Any) -> None:
    conn.execute(update(sweeps).where(sweeps.c.owner == owner, sweeps.c.id == sweep_id).values(**values))
