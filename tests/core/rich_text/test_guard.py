"""The second guard alone, for the day when the first has a hole; and what stands on both."""

from lib.core.rich_text import literal, render, to_html
from lib.core.rich_text.guard import guarded

HOLES = (
    "<script>alert(1)</script>",
    "<img src=http://evil.test/x onerror=alert(1)>",
    "<img src=data:text/html,x>",
    '<img src="data:image/svg+xml;base64,AAAA">',
    "<iframe src=http://evil.test></iframe>",
    '<style>@import "http://evil.test/a.css"</style>',
    "<form action=http://evil.test><input name=a><button>b</button></form>",
    "<svg onload=alert(1)></svg>",
    '<a href="javascript:alert(1)">a</a>',
    '<a href="data:text/html,x">a</a>',
    '<a href="//evil.test">a</a>',
    '<p style="background:url(http://evil.test/w)">a</p>',
    '<p id="root" onclick="alert(1)" class="stApp">a</p>',
    '<code class="language-x&quot; onload=&quot;y">a</code>',
    "<base href=http://evil.test><meta http-equiv=refresh content=0><link rel=stylesheet href=http://evil.test>",
    "<math><mi//xlink:href=data:x></math><noscript><p title='</noscript><img src=http://evil.test>'>",
)
NOWHERE = (
    "evil.test",
    "javascript",
    "alert",
    "<script",
    "<svg",
    "<form",
    "<input",
    "url(",
    "data:",
    "onload",
    " id=",
)


def test_the_guard_alone_lets_nothing_foreign_pass() -> None:
    for hole in HOLES:
        assert not [word for word in NOWHERE if word in guarded(hole).replace('rel="noopener', "")], hole


def test_the_guard_leaves_what_we_make_as_it_is() -> None:
    """But for the attributes of links, which are the guard's own."""
    html = to_html(
        '# A **b** `c` [d](https://e.f "g")\n\n- [x] h\n\n2. i\n\n| j |\n|:-:|\n| k<br>l |\n\n```py\nm\n```\n\n> א'
    )

    assert guarded(html) == html


def test_a_link_opens_elsewhere_and_tells_nothing() -> None:
    assert 'target="_blank" rel="noopener noreferrer nofollow"' in to_html("https://example.com")


def test_foreign_words_in_our_sentences_make_no_link() -> None:
    assert literal("[Sign in again](https://evil.test)") == (r"\[Sign in again\]\(https:color[\:]{}\/\/evil\.test\)")
    assert literal("a\n\n# b  ![c](d) \u202ee") == r"a \# b \!\[c\]\(d\) e"
    assert literal("x -> y") == r"x :color[\-]{}\> y"


def test_a_code_box_of_a_diagram_stays_code() -> None:
    assert "mermaid" not in render("```mermaid\ngraph TD;\n```")[0].partition("<code")[2].partition(">")[0]
