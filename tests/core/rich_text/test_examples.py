"""The examples of CommonMark and of GitHub's extensions: what is seen is what they say, but for listed deviations."""

import json
import re
from pathlib import Path

from lib.core.rich_text import to_html
from tests.seen import seen

CASES = Path(__file__).parents[2] / "cases" / "markdown_examples.jsonl"
DEVIATIONS = {
    "A tag is text: whoever writes <main> means these six signs, and HTML of a stranger has no place in our page.": {
        "commonmark": {
            *range(148, 192), *range(613, 618), *range(625, 632), 623,
            21, 31, 201, 308, 309, 344, 475, 476, 477, 491, 494, 524, 536, 642, 643,
        },
        "gfm": {657},
    },
    "A bare address is a link, as GitHub has it.": {"commonmark": {602, 608, 611, 612}, "gfm": set()},
    "Only http, https and mailto are links; <std::string> and <key:value> are text with their brackets.": {
        "commonmark": {596, 598, 599, 601},
        "gfm": {633, 634, 635},
    },
    "A definition that nothing uses is shown: an answer that is nothing else would be empty.": {
        "commonmark": {207, 208, 210, 317, 537, 538, 544, 545, 563, 565, 567, 571, 592},
        "gfm": set(),
    },
    "`[Alice]: Yes` is a line of a dialogue, no definition: an address without a sign of one needs brackets.": {
        "commonmark": {203, 204},
        "gfm": set(),
    },
    "No word of a table's row is dropped.": {"commonmark": set(), "gfm": {204}},
    "One tilde is none: `20~30 … 40~50`.": {"commonmark": set(), "gfm": {491}},
    "Signs around a low line are a face: `(*_*)`.": {"commonmark": {438, 441}, "gfm": set()},
    "Stars between digits multiply: `2*3*4`.": {"commonmark": {356}, "gfm": set()},
    "`>>> print(1)` is Python's prompt, and `>= 5` compares.": {"commonmark": {251}, "gfm": set()},
    "A sentence that begins with a year is no list.": {"commonmark": {265}, "gfm": set()},
    "Several lines with one of signs below are a paragraph: a heading has one.": {
        "commonmark": {81, 82, 95},
        "gfm": set(),
    },
    "A link without a word would be nothing: `[](x)` is code.": {"commonmark": {484, 487}, "gfm": set()},
    "A bracket that closes more than was opened ends an address.": {"commonmark": set(), "gfm": {626}},
}  # fmt: skip
ADDRESS = re.compile(r'<a href="(?!https?:|mailto:)[^"]*"[^>]*>(.*?)</a>', re.DOTALL | re.IGNORECASE)
PICTURE = re.compile(r'<img src="([^"]*)" alt="([^"]*)"[^>]*>')


def expected(html: str) -> str:
    """What an example's HTML is in our page: an address that leads nowhere is text, a picture says where it is."""
    pictures = PICTURE.sub(_told, html.replace("<br />\n", "<br />"))
    return ADDRESS.sub(r"\1", pictures)


def _told(found: re.Match[str]) -> str:
    return f"{found[2] or found[1].rpartition('/')[2]} ({found[1]})"


def test_every_example_is_seen_as_it_says_or_deviates_for_a_reason() -> None:
    deviating: dict[str, set[int]] = {"commonmark": set(), "gfm": set()}
    examples = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    for example in examples:
        if seen(to_html(example["markdown"])) != seen(expected(example["html"])):
            deviating[example["spec"]].add(example["example"])

    assert len(examples) == 680
    for spec, found in deviating.items():
        assert found == set().union(*(reason[spec] for reason in DEVIATIONS.values())), spec
