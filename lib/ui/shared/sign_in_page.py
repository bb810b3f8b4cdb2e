"""The page to sign in at, and the one to sign out: plain HTML without a script, as nobody is known there yet."""

from collections.abc import Callable
from html import escape
from urllib.parse import urlencode

from lib.core.errors import NotSignedIn
from lib.core.i18n import N_
from lib.ui.shared.plain_page import plain_page
from lib.ui.shared.texts import catalogue

SIGN_IN, SIGN_OUT, WITH_ACCOUNT = "/sign-in", "/sign-out", "/sign-in/account"


def sign_in_page(
    language: str,
    wanted: str,
    problem: NotSignedIn | None = None,
    *,
    by_password: bool = True,
    by_account: bool = False,
) -> str:
    """Asks for the password or an account and says what was wrong with the last; then leads to the page `wanted`."""
    say = catalogue(language).gettext
    trouble = ""
    if problem is not None:
        trouble = f'<p id="problem" role="alert">{escape(problem.sentence(say))}</p>'
    if by_account:
        words, leads = say(N_("Sign in with your account")), f"{WITH_ACCOUNT}?{urlencode({'place': wanted})}"
        account = f'<a class="button" href="{escape(leads)}">{escape(words)}</a>'
        if not by_password:
            invited = f"<p>{escape(say(N_('This Tempera is for invited people.')))}</p>"
            return plain_page(language, say(N_("Sign in")), f"{invited}{trouble}{account}")
    else:
        account = ""
    return plain_page(language, say(N_("Sign in")), _password_form(say, wanted, trouble) + account)


def _password_form(say: Callable[[str], str], wanted: str, trouble: str) -> str:
    described = ' aria-describedby="problem" aria-invalid="true"' if trouble else ""
    return f"""
      <p>{escape(say(N_("This Tempera is for invited people. Whoever invited you knows the password.")))}</p>
      <form method="post" action="{SIGN_IN}">
        <input type="hidden" name="place" value="{escape(wanted)}">
        <label for="password">{escape(say(N_("Password")))}</label>
        <input id="password" name="password" type="password" autocomplete="current-password"
          required autofocus{described}>
        {trouble}
        <button>{escape(say(N_("Sign in")))}</button>
      </form>"""


def sign_out_page(language: str, problem: str = "", mail: str = "") -> str:
    """Says what signing out means, and asks once more; `mail` is that of an account."""
    say = catalogue(language).gettext
    lost = N_(
        "Your chats and sweeps are kept for this browser. Once you have signed out nobody can open them again, you "
        "included: save what you want to keep first."
    )
    kept = N_("You are signed in as {mail}. Your chats and sweeps are there again when you sign in the next time.")
    what = say(kept).format(mail=mail) if mail else say(lost)
    trouble = f'<p id="problem" role="alert">{escape(problem)}</p>' if problem else ""
    form = f"""
      <p>{escape(what)}</p>
      <form method="post" action="{SIGN_OUT}">
        {trouble}
        <button>{escape(say(N_("Sign out")))}</button>
        <a href="/">{escape(say(N_("Stay signed in")))}</a>
      </form>"""
    return plain_page(language, say(N_("Sign out")), form)


def signed_out_page(language: str, at_provider: str) -> str:
    """Says that an account is signed out of Tempera only, and where it is signed out of the rest."""
    say = catalogue(language).gettext
    still = N_(
        "You are signed out of Tempera. In this browser your account is still signed in at its provider: whoever uses "
        "it next gets in without a password."
    )
    body = f"""
      <p>{escape(say(still))}</p>
      <a class="button" href="{escape(at_provider)}">{escape(say(N_("Sign out there too")))}</a>
      <a class="button" href="/">{escape(say(N_("Sign in again")))}</a>"""
    return plain_page(language, say(N_("Signed out")), body)
