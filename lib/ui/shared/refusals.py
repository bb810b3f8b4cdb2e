"""What a press asks for and can't be done: asked about where that helps, else said at the top of the page."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from lib.core.errors import BudgetReached, NotConnected, TemperaError
from lib.ui.shared import resources
from lib.ui.shared.budget_dialog import ask_first
from lib.ui.shared.connection import ask_for
from lib.ui.shared.error_box import shown_as
from lib.ui.shared.state import state
from lib.ui.shared.texts import error_sentence
from lib.ui.shared.visitor import visitor


@contextmanager
def refusals_told(
    then: Callable[[], None] | None = None, though_over: Callable[[], None] | None = None
) -> Iterator[None]:
    """What is refused in here is said, and the callback goes on behind it. Where `then` can do it once more, a service
    that is missing is asked for in place, and what a budget has no room for is asked about; `though_over` is what goes
    on in that second case, where it is not the same."""
    try:
        yield
    except NotConnected as missing:
        if then is None:
            _say(missing)
        else:
            ask_for(resources.services(), visitor(), missing, then)
    except BudgetReached as reached:
        if then is None:
            _say(reached)
        else:
            ask_first(reached, though_over or then)
    except TemperaError as refused:
        _say(refused)


def stored(work: Callable[[Connection, str], object]) -> bool:
    """Write something of the visitor, whose id is `work`'s second argument; whether the store took it. Where it did
    not, that is said."""
    owner = visitor().owner
    with refusals_told():
        resources.services().store.write(lambda db: work(db, owner)).result()
        return True
    return False


def press_failed(bug: Exception) -> None:
    """Say at the top of the page that what was pressed met something that nobody has foreseen."""
    _say(shown_as(bug, "what a press does"))


def _say(refused: TemperaError) -> None:
    state.notices.append(error_sentence(refused))
    state.page_is_due = True
