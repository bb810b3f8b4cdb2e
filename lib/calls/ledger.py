"""What calls cost, counted against a cap: the worst is reserved before a call and settled after it.

So no call begins that could carry the sum over the cap, however many run at once. All sums of a ledger are of one kind:
an amount of one currency, or tokens. The sums can be read from any thread; who changes them from several takes a lock.
"""

ROUNDING = 1e-9
"""Sums of floats may miss a cap that they meet exactly."""


class Ledger:
    """What one sweep spends, or whoever has a budget. `cap` None is no cap; `spent` is what was spent before."""

    def __init__(self, cap: float | None = None, spent: float = 0.0) -> None:
        self.cap, self.spent = cap, spent
        self.elsewhere = 0.0
        """What calls of other processes may cost at worst, as far as that is known here."""
        self._reserved: dict[str, float] = {}

    @property
    def reserved(self) -> float:
        """What the calls that run may cost at worst."""
        return sum(list(self._reserved.values()))

    @property
    def calls(self) -> list[str]:
        """The ids of the calls that run."""
        return list(self._reserved)

    @property
    def taken(self) -> float:
        """What is spent, and what all calls that run may cost."""
        return self.spent + self.reserved + self.elsewhere

    def fits(self, worst: float | None) -> bool:
        """Whether a call that costs `worst` at most may begin now. One without a price (None) always may: no cap can
        count it."""
        return self._fits(worst, self.elsewhere)

    def could_fit(self, worst: float | None) -> bool:
        """Whether it might, if those calls of other processes cost nothing."""
        return self._fits(worst, 0.0)

    def _fits(self, worst: float | None, elsewhere: float) -> bool:
        return self.cap is None or not worst or self.spent + self.reserved + elsewhere + worst <= self.cap + ROUNDING

    def reserve(self, call: str, worst: float | None) -> None:
        """Set aside what `call` costs at worst."""
        self._reserved[call] = worst or 0.0

    def release(self, call: str) -> None:
        """`call` was not sent, or refused: it costs nothing."""
        self._reserved.pop(call, None)

    def settle(self, call: str, cost: float | None) -> None:
        """`call` has ended and cost so much; None: nobody knows, so it counts with all that was reserved."""
        reserved = self._reserved.pop(call, 0.0)
        self.spent += reserved if cost is None else cost
