"""A cap is never passed: the worst is reserved before a call and settled after it."""

from hypothesis import given
from hypothesis import strategies as st

from lib.calls.ledger import ROUNDING, Ledger


@given(
    cap=st.floats(0, 10),
    calls=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1), st.sampled_from(["cost", "unknown", "refused"]))),
    at_once=st.integers(1, 8),
)
def test_no_order_of_calls_passes_the_cap(cap: float, calls: list[tuple[float, float, str]], at_once: int) -> None:
    ledger, running = Ledger(cap), list[tuple[int, float, float, str]]()
    for number, (worst, share, end) in enumerate(calls):
        if len(running) == at_once:
            _end(ledger, *running.pop(0))
        if ledger.fits(worst):
            ledger.reserve(str(number), worst)
            running.append((number, worst, share, end))
        assert ledger.spent + ledger.reserved <= cap + ROUNDING * (number + 1)
    for one in running:
        _end(ledger, *one)
    assert ledger.spent <= cap + ROUNDING * (len(calls) + 1) and ledger.reserved == 0


def _end(ledger: Ledger, number: int, worst: float, share: float, end: str) -> None:
    before = ledger.spent
    if end == "refused":
        ledger.release(str(number))
        assert ledger.spent == before
    else:
        ledger.settle(str(number), worst * share if end == "cost" else None)
        assert ledger.spent >= before


def test_without_a_cap_or_a_price_everything_fits() -> None:
    assert Ledger().fits(1e9) and Ledger(0.0).fits(None) and Ledger(0.0).fits(0.0)
    assert not Ledger(0.0).fits(0.01) and not Ledger(1.0, spent=0.995).fits(0.01)
