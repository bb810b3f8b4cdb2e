"""The undocumented details of Streamlit that we use: look here, and at the test of this module, when raising its
version.

Everything here was read in Streamlit 1.67. The rest of the app uses its documented interface only.
"""

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import uvicorn
from streamlit import components, runtime
from streamlit.auth_util import (
    build_logout_url,
    encode_provider_token,
    get_origin_from_redirect_uri,
    get_validated_redirect_uri,
)
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest
from streamlit.components.v2.types import ComponentRenderer
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import is_element_id
from streamlit.runtime.state.safe_session_state import SafeSessionState
from streamlit.runtime.state.session_state import STREAMLIT_INTERNAL_KEY_PREFIX
from streamlit.web.server.starlette import starlette_auth_routes

if TYPE_CHECKING:
    from starlette.requests import Request

log = logging.getLogger(__name__)
HEAD, END_OF_BODY = b"<head>", b"</body>"
"""Where a script and styles can be put into Streamlit's page: it has no interface for them, and our policy allows no
inline script. Of two rules that fit equally well the later one counts: the styles come after Streamlit's own."""
PART_PREFIXES = ("/_stcore", "/static", "/media", "/component")
"""Paths of the parts of a page; every other path is a page's own. `st.App` reserves the same ones for itself."""
SLOW_IMPORTS = ("streamlit.elements.lib.built_in_chart_utils", "streamlit.runtime.caching")
"""Modules that Streamlit imports only when a page first needs them, and that take a visitor's time then."""
READERS_SECONDS = 5
"""How long a server that is stopped waits for who has not read his answer to the end."""
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def is_part(path: str) -> bool:
    """Whether a path is that of a part of a page, not of a page."""
    return path.startswith(PART_PREFIXES)


def with_parts(page: bytes, scripts: bytes, styles: bytes) -> bytes:
    """Streamlit's page with the tags of scripts as the first thing in it, and those of styles as the last."""
    return page.replace(HEAD, HEAD + scripts, 1).replace(END_OF_BODY, styles + END_OF_BODY, 1)


def page() -> str:
    """The HTML that Streamlit serves for every page, from the installed package."""
    return (static_folder() / "index.html").read_text(encoding="utf-8")


def static_folder() -> Path:
    """What the installed package serves as files: the page, and the scripts with the names our styles use."""
    spec = find_spec("streamlit")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).with_name("static")


@cache
def inline_script_hashes() -> str:
    """The Content-Security-Policy's sources for the inline scripts in that page: `'sha256-..' ..`."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _INLINE_SCRIPT.findall(page()))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


LOGIN, CALLBACK = "/auth/login", "/oauth2callback"
"""Streamlit's own places for signing in with an account: one sends to the provider, which sends back to the other."""
USER_COOKIES = ("_streamlit_user", "_streamlit_user_tokens")
"""How the cookies begin in which it keeps, signed, what the provider said."""


def login_address() -> str:
    """Where `st.login` leads to; it has no call that tells."""
    return f"{LOGIN}?provider={encode_provider_token('default')}"


async def logout_address() -> str | None:
    """Where `st.logout` leads to after its own part: the provider's page to sign out there (OpenID Connect RP-Initiated
    Logout 1.0); None where the provider has none or does not answer. `st.logout` itself needs cookies of Streamlit's
    that are gone by then."""
    try:
        client, _ = starlette_auth_routes._create_oauth_client("default")
        place = (await client.load_server_metadata()).get("end_session_endpoint")
        back = get_validated_redirect_uri()
    except Exception as trouble:  # of the network, of Authlib, of the settings: the sign-out here is done all the same
        log.warning("where to sign out at the provider is not known: %s", type(trouble).__name__)
        return None
    return build_logout_url(place, client.client_id, back) if place and back else None


def signed_in_claims(request: "Request") -> dict[str, Any]:
    """What the provider said of who has just signed in, from Streamlit's signed cookie; empty where nobody has, and for
    a cookie that was made for another address."""
    value = starlette_auth_routes._get_cookie_value_from_request(request, USER_COOKIES[0])
    claims = None if value is None else json.loads(value)
    return claims if isinstance(claims, dict) and claims.get("origin") == get_origin_from_redirect_uri() else {}


def tab_id() -> str | None:
    """The id of the browser tab whose script runs; None outside of one. Streamlit has no public session id."""
    context = get_script_run_ctx()
    return None if context is None else context.session_id


def browser_has_moved() -> bool:
    """Whether this run is there because of the browser's Back or Forward."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def is_open(tab: str) -> bool:
    """Whether a browser tab is connected; True where no server runs, as in a test."""
    return not runtime.exists() or bool(runtime.get_instance().is_active_session(tab))


_made: "WeakKeyDictionary[BidiComponentManager, dict[str, ComponentRenderer]]" = WeakKeyDictionary()


def component_of_files(folder: Path, styles: str) -> ComponentRenderer:
    """A component of our own: its script and its styles are `<name>.js` and `<name>.css` in a folder of its name,
    with further `styles` that it shares with others. It draws in an element of the class `<name>`, which its styles
    have to make visible: what it draws before the browser has loaded them is not seen.

    Streamlit serves files only for components of installed packages, as their manifests name them, so a manifest is
    handed over here. The script of one without files comes from a `blob:` address, which our policy does not allow.
    """
    manager, name = get_bidi_component_manager(), folder.name
    made = _made.setdefault(manager, {})
    if name not in made:
        manifest = ComponentManifest("tempera", "1", [ComponentConfig(name, folder.name)])
        manager.register_from_manifest(manifest, folder.parent)
        # Without weight: the style sheet wins, wherever Streamlit puts it.
        unseen = f":where(.{name}) {{ visibility: hidden }}"
        made[name] = components.v2.component(
            f"tempera.{name}", html=f"<style>{unseen}{styles}</style>", css=f"{name}.css", js=f"{name}.js"
        )
    return made[name]


def let_callbacks_end(failed: Callable[[Exception], None]) -> None:
    """From now on a callback that was called for runs, and to its end, whatever the page sends meanwhile; and the page
    is run behind it though it fails, of which `failed` is told.

    A script ends early where another message waits, and it looks for one whenever session state is read or written:
    before the callbacks too, whose press is then forgotten, and between two lines of one. Where a callback fails
    Streamlit shows that in the place of the whole page, and runs nothing that could see to what was on it.
    """
    callbacks = SafeSessionState.on_script_will_rerun
    if hasattr(callbacks, "__wrapped__"):
        return

    @wraps(callbacks)
    def uninterrupted(state: SafeSessionState, *args: Any, **named: Any) -> None:
        # Through its dictionary: an attribute that is set becomes a value of the session, and looks for messages too.
        own = vars(state)
        look, own["_yield_callback"] = own["_yield_callback"], _go_on
        try:
            callbacks(state, *args, **named)
        except Exception as failure:
            # Of a run of a part of the page the rest is still there.
            if (context := get_script_run_ctx()) is None or context.fragment_ids_this_run:
                raise
            failed(failure)
        finally:
            own["_yield_callback"] = look

    SafeSessionState.on_script_will_rerun = uninterrupted  # type: ignore[method-assign, assignment]


def log_failures_once() -> None:
    """From now on Streamlit does not log what a page meets: our `on_script_error` does, under a number."""
    logging.getLogger("streamlit.error_util").addFilter(_is_not_told_by_us)


def _is_not_told_by_us(record: logging.LogRecord) -> bool:
    return record.msg != "Uncaught app execution"


def wait_for_readers_no_longer() -> None:
    """From now on a server that is stopped waits READERS_SECONDS for the connections that are open, and
    then ends.

    uvicorn waits without an end, Streamlit has no option for it, and has made uvicorn's settings before our code is
    there. One browser that stops reading would keep the answers that are on their way from being brought to an end.
    """
    shutdown = uvicorn.Server.shutdown
    if hasattr(shutdown, "__wrapped__"):
        return

    @wraps(shutdown)
    async def bounded(server: uvicorn.Server, *args: Any, **named: Any) -> None:
        server.config.timeout_graceful_shutdown = READERS_SECONDS
        await shutdown(server, *args, **named)

    uvicorn.Server.shutdown = bounded  # type: ignore[method-assign, assignment]


def _go_on() -> None:
    """Go on without waiting for anything."""


class _Values(Mapping[str, Any]):
    """All values of a tab by the keys that our code knows them by; only one that is asked for is put together."""

    def __init__(self, state: SafeSessionState, everything: Callable[[SafeSessionState], dict[str, Any]]) -> None:
        self._everything = partial(everything, state)
        # Without the look for messages that the state itself takes at each value: Streamlit takes none here.
        self._lock, self._values = vars(state)["_lock"], vars(state)["_state"]

    def __getitem__(self, key: str) -> Any:
        if is_element_id(key) or key.startswith(STREAMLIT_INTERNAL_KEY_PREFIX):
            raise KeyError(key)
        with self._lock:
            return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._everything())

    def __len__(self) -> int:
        return len(self._everything())

    def __repr__(self) -> str:
        return repr(self._everything())


def let_widgets_read_one_value() -> None:
    """From now on a widget that looks for its own value in session state has that alone put together.

    Each field, slider and picker has it done for all values of the tab, which is an eighth of the time that our pages
    take.
    """
    everything = SafeSessionState.filtered_state.fget  # type: ignore[attr-defined]
    if hasattr(everything, "__wrapped__"):
        return

    @wraps(everything)
    def values(state: SafeSessionState) -> Mapping[str, Any]:
        return _Values(state, everything)

    SafeSessionState.filtered_state = property(values)  # type: ignore[assignment, method-assign]
