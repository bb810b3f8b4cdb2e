"""Puts characters beyond U+FFFF together, an emoji above all, of which JSON writes two halves (surrogates): some
gateways cut a text between them."""


class WholeCharacters:
    """One text that comes in pieces: `take` each, and `flush` what is held where nothing is to come any more."""

    def __init__(self) -> None:
        self._half = ""

    def take(self, piece: str) -> str:
        """What is whole after `piece`; half a character at its end is held until the other half comes."""
        if not piece:
            return ""
        text, self._half = self._half + piece, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return well_formed(text)

    def flush(self) -> str:
        """U+FFFD for the half that is still held."""
        half, self._half = self._half, ""
        return well_formed(half)


def well_formed(text: str) -> str:
    """`text` with its halves joined, and U+FFFD for those that stand alone, which no database takes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
