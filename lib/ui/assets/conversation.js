// Where a conversation stands on the screen. Streamlit's own way, gliding to the end of whatever grows, carries off
// what is being read. Here what was asked stands at the top, its answer grows below it, and nothing moves by itself:
// who scrolls stays where they are, and whoever is at the end while an answer is written stays at the end.
// lib/ui/chat/scrolling.py says in CSS variables which chat is open, how often something was asked, and where.
(() => {
  const ABOVE = 8; // pixels between the header and the message below it
  const LONG = 0.4; // of the visible height: of a longer message only the end is shown, so that its answer is in view
  const NEAR = 48; // pixels from the end that count as the end
  const TOOLS = 160; // what comes below an answer when it has ended takes no more
  const EARLIER = 300; // pixels from the top at which earlier messages are asked for
  const SETTLED = 3000; // milliseconds after the last of them has come in which their heights may still change

  let chat = null; // as the page said last; null: another page is open
  let asked = null;
  let hold = ""; // what is kept in its place: the "question" at the top, the "end", also of a chat that was "opened"
  // just now, what was "pressed", what is "read" while earlier messages are drawn above it, or nothing: the reader has
  // scrolled
  let left = 0; // pixels from there to the end
  let drawn = 0; // messages there were when this was looked at last
  let few = 0; // messages that did not fill the screen, when more were asked for
  let settled = null; // the timer after which what is read is free again
  let untouched = false; // until something is touched it is the browser that scrolls, as what is drawn comes and goes
  let ended = false; // whether since then an answer has ended: what stands below it is still to come
  let followed = false; // whether the end was in view when this was looked at last
  let places = []; // where what was pressed stood, and its message: a selector and pixels from the top of the screen
  let least = 0; // height of the content that lets the question stand at the top
  let editor = null; // the field in which a message is changed: nothing carries off whoever has opened it
  let written = false; // whether an answer was being written when the page was looked at last
  let ours = 0; // where we have scrolled to: any other place is the reader's own
  let watched = null;

  const find = (selector, within = document) => within.querySelector(`${selector}:not([data-retained])`);
  const told = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // All that has to be known of the page, in pixels from the top of what is scrolled; null on other pages.
  function measured() {
    const head = find(".st-key-chat_head")?.parentElement;
    const main = head?.closest(".stMain");
    const content = head?.parentElement;
    const bottom = main && find(".stBottom", main);
    if (!content || !bottom) return null;
    const origin = main.getBoundingClientRect().top - main.scrollTop;
    // What has just been said stays in view too, below the head.
    const staying = [head, find(".st-key-chat_notices")?.parentElement].filter((part) => part?.offsetHeight);
    const above = Math.max(...staying.map((part) => parseFloat(getComputedStyle(part).top) + part.offsetHeight));
    const seen = main.clientHeight - above - bottom.offsetHeight;
    const end = content.getBoundingClientRect().bottom - origin + bottom.offsetHeight - main.clientHeight + 2 * ABOVE;
    return { main, content, bottom, head, origin, above, seen, end };
  }

  // Where the view has to begin for the last question to stand at the top.
  function questionsPlace({ origin, above, seen }) {
    const question = find(`.st-key-more_question_${told("--question")}`)?.closest("[data-testid=stChatMessage]");
    if (!question) return null;
    const box = question.getBoundingClientRect();
    return Math.max(0, Math.max(box.top, box.bottom - LONG * seen) - origin - above - ABOVE);
  }

  // Below what was in view there is only what can be done with it: more would hide the question for an answer's end.
  const onlyTools = ({ main, end }) => end - main.scrollTop <= TOOLS;

  function news(page) {
    const [nowOpen, nowAsked] = [told("--chat"), told("--asked")];
    const writing = find(".st-key-chat_stop") !== null;
    if (chat !== null && nowAsked !== asked) {
      // What has waited its turn is sent by itself, and must not carry off whoever reads elsewhere.
      if (told("--waited") === "0" || hold) [hold, untouched, ended] = ["question", true, false];
    } else if (nowOpen !== chat) {
      [hold, untouched, ended, few] = ["opened", true, false, 0];
      keep(0);
    } else if (written && !writing && (hold === "end" || (hold === "question" && followed && onlyTools(page)))) {
      [hold, untouched, ended] = ["end", true, true];
    }
    [chat, asked, written] = [nowOpen, nowAsked, writing];
  }

  // What was pressed may be gone now; its message is there.
  function keepPressed({ main, bottom }) {
    const [found, top] = places.map(([selector, top]) => [find(selector), top]).find(([part]) => part) ?? [];
    if (!found) return;
    const to = Math.max(0, main.scrollTop + found.getBoundingClientRect().top - top);
    keep(Math.max(least, to + main.clientHeight - bottom.offsetHeight));
    scroll(main, to);
  }

  // The styles have no other way to know how wide the page is beside the list of chats.
  let wide = 0;
  function tell({ main }) {
    if (main.clientWidth === wide) return;
    wide = main.clientWidth;
    document.documentElement.style.setProperty("--main", `${wide}px`);
  }

  function keep(height) {
    if (Math.abs(height - least) < 1) return;
    least = height;
    document.documentElement.style.setProperty("--least", `${height}px`);
  }

  function scroll(main, to) {
    if (Math.abs(main.scrollTop - to) >= 1) main.scrollTop = to;
    ours = main.scrollTop;
  }

  function look() {
    const page = measured();
    if (!page) chat = asked = null;
    if (!page || !told("--chat")) return;
    watch(page);
    tell(page);
    news(page);
    const opened = find(".st-key-edited_message");
    if (opened && opened !== editor) hold = "";
    editor = opened;
    // The browser's own keeping of what is seen comes after ours, by as much again, and looks like a reader's scrolling.
    page.main.style.overflowAnchor = hold ? "none" : "";
    const place = hold === "question" ? questionsPlace(page) : null;
    if (place !== null) {
      keep(place + page.main.clientHeight - page.bottom.offsetHeight);
      scroll(page.main, place);
    }
    if (hold === "read") {
      follow();
      scroll(page.main, page.end - left);
    }
    if (hold === "pressed") keepPressed(page);
    // An empty chat begins at its greeting.
    if (hold === "opened") scroll(page.main, messages() ? Math.max(0, page.end) : 0);
    if (hold === "end" && (written || ended)) scroll(page.main, Math.max(page.main.scrollTop, page.end));
    fill(page);
    followed = page.end - page.main.scrollTop <= NEAR;
    document.documentElement.toggleAttribute("data-newer-below", messages() > 0 && !followed);
  }

  // A high screen has room for more short messages than are drawn at first.
  function fill({ end }) {
    const rests = find("[data-testid=stApp][data-test-script-state=notRunning]");
    const earlier = find(".st-key-chat_earlier button");
    if (!["opened", "end"].includes(hold) || end > 0 || !rests || !earlier || messages() === few) return;
    few = messages();
    earlier.click();
  }

  // However long the server and a slow computer take: only from the last message that came on does time count.
  const messages = () => document.querySelectorAll("[data-testid=stChatMessage]").length;
  function follow() {
    if (messages() === drawn) return;
    drawn = messages();
    clearTimeout(settled);
    settled = setTimeout(() => hold === "read" && (hold = ""), SETTLED);
  }

  let due = 0;
  const soon = () => {
    due ||= requestAnimationFrame(() => {
      due = 0;
      look();
    });
  };
  const sizes = new ResizeObserver(look);
  function watch({ main, content, bottom, head }) {
    if (content === watched) return;
    watched = content;
    sizes.disconnect();
    for (const part of [main, content, bottom, head]) sizes.observe(part);
  }
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true, characterData: true });

  function scrolled(event) {
    const page = event.target instanceof Element && event.target.matches(".stMain") ? measured() : null;
    if (!page || untouched || Math.abs(page.main.scrollTop - ours) < 2) return;
    const moved = page.main.scrollTop - ours;
    ours += moved;
    // Not measured anew: the page may have grown above it since it was looked at last.
    if (hold === "read") left -= moved;
    else hold = page.end - ours <= NEAR && !editor ? "end" : "";
    if (!written && hold !== "end" && ours < EARLIER) find(".st-key-chat_earlier button")?.click();
    soon();
  }
  addEventListener("scroll", scrolled, { capture: true, passive: true });
  for (const touch of ["pointerdown", "keydown", "wheel", "touchmove"]) {
    addEventListener(touch, touched, { capture: true, passive: true });
  }
  function touched({ type, target, key, ctrlKey, metaKey }) {
    const field = type === "keydown" && target.matches?.("textarea, input");
    if (field && !ctrlKey && !metaKey && !/^(Tab|Page)/.test(key)) return; // what is typed scrolls nothing
    untouched = ended = false;
    if (hold === "opened") hold = "end";
    if (hold === "pressed") hold = "";
  }

  // Another version of a message may be longer, and have another conversation below it.
  const CHANGES = "[data-testid=stChatMessage] :is([class*=st-key-version_], [class*=st-key-pick_])";
  function stay(changing) {
    const inside = "[class*=st-key-question_], [class*=st-key-answer_]";
    const message = changing.closest("[data-testid=stChatMessage]").querySelector(inside);
    places = [changing, message].filter(Boolean).map((part) => {
      const name = [...part.classList].find((name) => name.startsWith("st-key-"));
      return [`.${CSS.escape(name)}`, part.getBoundingClientRect().top];
    });
    [hold, untouched] = ["pressed", true];
  }

  function pressed({ target }) {
    const changing = target.closest?.("button") && target.closest(CHANGES);
    if (changing) stay(changing);
    const button = target.closest?.(".st-key-chat_newest button, .st-key-chat_earlier button");
    const page = button && measured();
    if (!page) return;
    if (button.closest(".st-key-chat_newest")) {
      hold = "end";
      scroll(page.main, page.end);
    } else if (hold !== "read") {
      [hold, left, drawn] = ["read", page.end - page.main.scrollTop, messages()];
      clearTimeout(settled);
    }
    soon();
  }
  addEventListener("click", pressed, true);
})();
