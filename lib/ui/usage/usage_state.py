"""What a browser tab remembers of the usage page between two script runs."""

from lib.ui.shared.session_value import Dialog, SessionValue, nothing


class UsageState:
    """What is remembered, by name; widget values live under their own keys."""

    address_read: SessionValue[bool] = SessionValue("usage_address_read", bool)
    """Whether the usage page has taken up its filters from the address."""
    opened_on: SessionValue[str | None] = SessionValue("usage_opened_on", nothing)
    """Which calls the usage page has chosen to show by itself."""
    call = Dialog[str]("usage_call")
    """The call that is looked at on the usage page."""


usage_state = UsageState()
