"""Our own rules for running text, over markdown-it's: emphasis beside Chinese, Japanese and Korean, addresses that end
before their punctuation, two tildes, `<br>`."""

import re
import unicodedata

from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace, unescapeAll
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_inline import StateInline, autolink, link
from markdown_it.rules_inline.state_inline import Delimiter, Scanned
from markdown_it.token import Token
from markdown_it.utils import EnvType

SCHEMES = ("http", "https", "mailto")
BREAK = re.compile(r"</?br[ \t]*/?>", re.IGNORECASE)
ANGLE_SCHEME = re.compile(r"<([A-Za-z][A-Za-z0-9+.\-]{1,31}):")
ADDRESS_END = re.compile(
    '[\\s<>"`\\\\|^{}\u2013-\u2015\u2018-\u201f\u2026\u3000-\u3004\u3008-\u301f\u30fb\ufe10-\ufe1f\ufe30-\ufe4f'
    "\uff01-\uff03\uff05-\uff0a\uff0c\uff1a\uff1b\uff1f\uff3b-\uff3d\uff5b-\uff65\u00ab\u00bb]"
    "|(?<=[A-Za-z0-9])(?=[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])"
)
"""What no address goes past, though linkify-it would: quotation marks, brackets and full stops of East Asian texts, and
their words, which follow without a space (`/wiki/北京` goes on, `example.com查看` does not)."""
ADDRESS = re.compile(r"(?i:https?://|(www\.)|mailto:)(?=[^\s<>])|([A-Za-z0-9][A-Za-z0-9.+_\-]{0,63}@)(?=[A-Za-z0-9])")
MAIL_HOST = re.compile(
    r"[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?)+(?![\-_])"
)
NAME, NUMBER = "[A-Za-z_][A-Za-z0-9_]*", r"[0-9]+(?:\.[0-9]+)?[A-Za-z]?"
FACTOR = rf"(?:{NUMBER}|[A-Za-z][0-9]?)"
NO_EMPHASIS = re.compile(
    rf"(?<![A-Za-z0-9*_])(?:{FACTOR}(?:\*\*?{FACTOR})+|{NAME}\*\*?{NUMBER}|{NUMBER}\*\*?{NAME})(?![A-Za-z0-9*_])"
    rf"|(?<=\*\*){FACTOR}(?:\*{FACTOR})+(?=\*\*)|(?<=\()\*(?=\))|(?<=/)\*\*?(?=[./])"
    r"|(?<=/)\*\*?(?!\S)|(?<!\S)\*\*?(?=/(?!\S))"
)
"""Stars that multiply (`2*3*4`, `x**2`, `a*x + b*y`), stand for all (`COUNT(*)`) or for any file (`src/**/*.ts`), and
those of a comment (`/* … */`)."""
DUNDER = re.compile(
    r"(?<![A-Za-z0-9_])__(?:init|main|name|file|path|doc|dict|class|module|all|slots|version|author|import|future|pycache"
    r"|new|del|call|str|repr|bytes|format|len|iter|next|hash|bool|int|float|index|eq|ne|lt|le|gt|ge|add|sub|mul|truediv"
    r"|contains|missing|reversed|(?:get|set|del)(?:attr|item)|get|set|enter|exit|aenter|aexit|aiter|anext|await"
    r"|post_init|init_subclass|annotations|getattribute)__(?![A-Za-z0-9_])"
)
"""Python's own names, which nobody wants bold (`__init__.py`)."""
FACE = r"(?:([\^*@=;'~.+\-])_+\1|[<>]_+[<>])"
FACES = re.compile(rf"(?<=[(（])\*{FACE}\*(?=[)）])|{FACE.replace('1', '2')}")
"""`^_^`, `>_<`, `(*^_^*)`: signs that are no marks."""
LITERAL = re.compile(
    r"(?<=[A-Za-z]:)(?<![A-Za-z0-9].:)(?:\\[^\s\\*`<>|\"?:/\[\]()]*)+"
    r"|(?<!\S)\\\\(?=[A-Za-z0-9])[^\s\\*`<>|\"?:/\[\]()]+(?:\\[^\s\\*`<>|\"?:/\[\]()]*)+"
)
"""A path of Windows: there a backslash takes nothing away (`C:\\Users\\.ssh`, `\\\\server\\share`)."""
SHRUG = re.compile(r"(?<=¯)\\{1,3}(_\([^()\n]{1,3}\))\\?(_/¯)")
HALF_ENTITY = re.compile(r"&[A-Za-z][A-Za-z0-9]*$")
SIGNS = r"[\n!$&*<\[\\\]^_`~]"
STOPS = re.compile(SIGNS)
"""Where a rule of ours may begin; markdown-it stops at more signs."""
STOPS_AND_ADDRESSES = re.compile(rf"{SIGNS}|(?<![A-Za-z0-9.+_\-])(?:{ADDRESS.pattern})")
LABEL_ENDS = ":.!?"
"""No comma and no bracket: they stand before the stars of `f(**a, **b)` and `(a+b)**c`."""
MAX_ADDRESS = 2_000
NEUTRAL_HANGUL = (range(0x1160, 0x1200), range(0xD7B0, 0xD800))
SYMBOLS_OF_SCRIPTS = range(0x2E80, 0xA4D0)

linkify = LinkifyIt()


def inline_rules(md: MarkdownIt) -> None:
    """Teach a parser the rules of this module."""
    md.inline.ruler.at("strikethrough", _strikethrough)
    md.inline.ruler.at("link", _link)
    md.inline.ruler.at("autolink", _autolink)
    md.inline.ruler.before("autolink", "line_break", _line_break)
    md.inline.ruler.before("escape", "backslash", _backslash)
    md.inline.ruler.after("text", "address", _address)
    md.inline.ruler.at("text", _text)


class Inline(ParserInline):
    """markdown-it's parser of running text, with our `State`."""

    def parse(self, src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        """As in markdown-it, which has no place to name another state."""
        state = State(src, md, env, tokens)
        self.tokenize(state)
        for rule in self.ruler2.getRules(""):
            rule(state)
        return state.tokens


class State(StateInline):
    """Knows that stars may multiply, and that words of Chinese, Japanese and Korean stand without spaces: there,
    `**注意：**请` is bold.

    CommonMark's rule was written for scripts with spaces (commonmark-spec#650). The amendment is the one of
    markdown-cjk-friendly (MIT, Tatsunori Uchino); beyond it, marks around such a word (`“重点”**Python`) count as it.
    And where a space was forgotten behind a label (`**Note:**look`) it is bold all the same.
    """

    def __init__(self, src: str, md: MarkdownIt, env: EnvType, outTokens: list[Token]) -> None:
        super().__init__(src, md, env, outTokens)
        self.stops = STOPS_AND_ADDRESSES if "@" in src or "://" in src or "www." in src.lower() else STOPS
        plain = [words for sign, words in (("*", NO_EMPHASIS), ("__", DUNDER), ("_", FACES)) if sign in src]
        self.no_emphasis = {at for words in plain for one in words.finditer(src) for at in range(*one.span())}

    def scanDelims(self, start: int, canSplitWord: bool) -> Scanned:
        """Whether a run of markers can open and close emphasis."""
        plain = super().scanDelims(start, canSplitWord)
        if start in self.no_emphasis:
            return Scanned(False, False, plain.length)
        if not canSplitWord or (plain.can_open and plain.can_close):
            return plain
        after = start + plain.length
        last = self.src[start - 1] if start else " "
        following = self.src[after] if after < self.posMax else " "
        if isWhiteSpace(ord(last)) or isWhiteSpace(ord(following)):
            return plain
        if _beside_cjk(self.src, start - 1, -1, 0) or _beside_cjk(self.src, after, 1, self.posMax - 1):
            return Scanned(True, True, plain.length)
        ends_a_label = plain.length == 2 and self.src[start] == "*" and last in LABEL_ENDS and following.isalpha()
        return Scanned(True, True, plain.length) if ends_a_label else plain


def _beside_cjk(source: str, position: int, step: int, last: int) -> bool:
    """Whether a word without spaces stands at `position`, or next to the marks that stand there."""
    for _ in range(8):
        sign = source[position]
        if is_cjk(sign):
            return True
        if position == last or not (isMdAsciiPunct(ord(sign)) or isPunctChar(sign)) or sign in "*~_":
            return False
        position += step
    return False


def is_cjk(sign: str) -> bool:
    """Whether a letter or a mark belongs to a script that is written without spaces, or to Korean."""
    code = ord(sign)
    if code < 0x1100:
        return False
    width = unicodedata.east_asian_width(sign)
    if width == "W":
        return unicodedata.category(sign) not in ("So", "Sk") or code in SYMBOLS_OF_SCRIPTS
    return width in ("F", "H") or any(code in part for part in NEUTRAL_HANGUL)


def _strikethrough(state: StateInline, silent: bool) -> bool:
    """Two tildes, neither one (`20~30`) nor three; what pairs them is markdown-it's."""
    if silent or state.src[state.pos] != "~":
        return False
    scanned = state.scanDelims(state.pos, True)
    state.push("text", "", 0).content = "~" * scanned.length
    if scanned.length == 2:
        last = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord("~"), 0, last, -1, scanned.can_open, scanned.can_close))
    state.pos += scanned.length
    return True


def _backslash(state: StateInline, silent: bool) -> bool:
    """A backslash that stands for itself: in a path of Windows, and in ¯\\_(ツ)_/¯."""
    if state.src[state.pos] != "\\":
        return False
    if found := LITERAL.match(state.src, state.pos, state.posMax):
        shown = found[0]
    elif found := SHRUG.match(state.src, state.pos, state.posMax):
        shown = f"\\{found[1]}{found[2]}"
    else:
        return False
    if not silent:
        state.push("text", "", 0).content = shown
    state.pos = found.end()
    return True


def _line_break(state: StateInline, silent: bool) -> bool:
    """`<br>`, in tables the only way to write a line's end."""
    found = BREAK.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _link(state: StateInline, silent: bool) -> bool:
    """A link, but not one without a word: `[](x)` would be nothing, and is a lambda of C++ or a call."""
    return not state.src.startswith("[](", state.pos) and link(state, silent)


def _autolink(state: StateInline, silent: bool) -> bool:
    """`<https://…>`, but not `<std::string>`, which CommonMark takes for an address of the kind `std`."""
    scheme = ANGLE_SCHEME.match(state.src, state.pos)
    if scheme is not None and scheme[1].lower() not in SCHEMES:
        return False
    return autolink(state, silent)


def _text(state: StateInline, silent: bool) -> bool:
    """Everything up to the next sign that means something."""
    assert isinstance(state, State)
    found = state.stops.search(state.src, state.pos, state.posMax)
    end = found.start() if found else state.posMax
    if end == state.pos:
        return False
    if not silent:
        state.append_pending(state.src[state.pos : end])
    state.pos = end
    return True


def _address(state: StateInline, silent: bool) -> bool:
    """An address without angle brackets: with its scheme, from `www.`, or a mailbox."""
    if silent or state.linkLevel or not (begun := ADDRESS.match(state.src, state.pos, state.posMax)):
        return False
    if state.pos and STOPS_AND_ADDRESSES.match(state.src, state.pos) is None:
        return False
    limit = min(state.posMax, state.pos + MAX_ADDRESS)
    end = stop.start() if (stop := ADDRESS_END.search(state.src, state.pos, limit)) else limit
    prefix = "http://" if begun[1] else "mailto:" if begun[2] else ""
    text = _whole_address(state.src[state.pos : end], prefix)
    if not text:
        return False
    shown = unescapeAll(text)
    _push_link(state, state.md.normalizeLink(prefix + shown), shown)
    state.pos += len(text)
    return True


def _whole_address(candidate: str, prefix: str) -> str:
    """How much of `candidate` is an address; none of it is "". linkify-it knows which signs at its end belong to the
    sentence."""
    if prefix == "mailto:" or candidate[:7].lower() == "mailto:":
        mailbox, _, host = candidate.partition("@")
        return f"{mailbox}@{found[0]}" if (found := MAIL_HOST.match(host)) else ""
    match = linkify.match_at_start(prefix + candidate)
    text = match.raw[len(prefix) :].rstrip("*_~:") if match else ""
    return HALF_ENTITY.sub("", text) if candidate[len(text) : len(text) + 1] == ";" else text


def _push_link(state: StateInline, href: str, text: str) -> None:
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = text
    state.push("link_close", "a", -1)
