"""Shows what an answer holds beside its text: calls of tools, images, sound, sources. Nothing is run or fetched."""

from base64 import b64decode
from collections.abc import Sequence

from lib.core import images, parts
from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.parts import Part, text_of
from lib.core.rich_text import literal
from lib.store import kept_parts
from lib.ui.shared import resources
from lib.ui.shared.markdown import Container, markdown, to_the_letter
from lib.ui.shared.texts import _

WIDTH = 360
CALLED = N_("The model wants to call the tool “{name}”. Tempera calls none; this is what it would send:")
SPOKEN = N_("The answer came as sound, too: {size:,} kB.")
SOUND_ONLY = N_("The answer came as sound: {size:,} kB.")


def answer_parts(container: Container, key: str, owner: str, found: Sequence[Part]) -> None:
    """All parts of one answer below its text; `key` begins the names of their buttons."""
    if kept_parts.ids(found):
        found = resources.services().store.read(lambda db: kept_parts.load(db, owner, found))
    if parts.of(found, "refusal"):
        container.caption(_("The model declined to answer."))
    for part in parts.of(found, "tool_call"):
        _call(container, part)
    for number, part in enumerate(parts.of(found, "image")):
        _image(container, f"{key}_image_{number}", part)
    for part in parts.of(found, "audio"):
        _sound(container, f"{key}_sound", part)
    listed = parts.sources(found)
    if listed:
        container.caption(_("Sources"))
        markdown(container, listed)
    for part in parts.of(found, "other"):
        words = _("The service also sent something that can't be shown here: {name}.")
        container.caption(words.format(name=literal(text_of(part, "name"))))


def _call(container: Container, part: Part) -> None:
    container.caption(_(CALLED).format(name=literal(text_of(part, "name"))))
    arguments = parts.readable(text_of(part, "arguments"))
    to_the_letter(container, arguments or "{}", "json", wrap_lines=True)


def _image(container: Container, key: str, part: Part) -> None:
    """An image that came with the answer; of one that lies elsewhere only where."""
    url = text_of(part, "url")
    if url.startswith(("http://", "https://")):
        container.caption(_("An image that lies elsewhere; it is not fetched:"))
        markdown(container, parts.sources([{"type": "source", "url": url}]).removeprefix("1. "))
        return
    try:
        container.image(b64decode(images.checked(url).partition(",")[2]), width=WIDTH)
    except (InvalidInput, OSError, ValueError, SyntaxError):
        container.caption(_("An image that can't be shown here."))
        _download(container, key, url.partition(",")[2], "image.bin")


def _sound(container: Container, key: str, part: Part) -> None:
    data, kind = parts.sound(part)
    words = SPOKEN if text_of(part, "spoken") else SOUND_ONLY
    container.caption(_(words).format(size=-(-len(data) // 1000)))
    label, name = _("Save the sound"), f"tempera-answer.{kind}"
    if data:
        container.download_button(label, data, file_name=name, key=key, icon=":material/volume_up:", on_click="ignore")


def _download(container: Container, key: str, encoded: str, name: str) -> None:
    try:
        data = b64decode(encoded)
    except ValueError:
        return
    label = _("Save as a file")
    if data:
        container.download_button(label, data, file_name=name, key=key, icon=":material/download:", on_click="ignore")
