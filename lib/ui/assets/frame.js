// The frame around the pages: its colours, the names of what has only an icon, and what the keyboard reaches first.
(() => {
  // Light or dark as it was chosen in the menu. Streamlit has no call for it and keeps its own choice apart for each
  // path: so it follows the system, and this is what it hears of that.
  const SCHEME = "(prefers-color-scheme: dark)";
  const asked = matchMedia.bind(window);
  const system = asked(SCHEME);
  const scheme = new EventTarget();
  let theme = kept();
  Object.defineProperties(scheme, {
    media: { value: SCHEME },
    matches: { get: () => (theme === "system" ? system.matches : theme === "dark") },
    addListener: { value: (listener) => scheme.addEventListener("change", listener) },
    removeListener: { value: (listener) => scheme.removeEventListener("change", listener) },
  });
  system.addEventListener("change", tell);
  tell();
  window.matchMedia = (query) => (query === SCHEME ? scheme : asked(query));

  function tell() {
    // Dialogs and menus stand outside of the element that Streamlit tells this.
    document.documentElement.style.colorScheme = scheme.matches ? "dark" : "light";
    const event = new Event("change");
    event.matches = scheme.matches;
    scheme.dispatchEvent(event);
  }
  function use(chosen) {
    if (!chosen || chosen === theme) return;
    theme = chosen;
    keep(chosen);
    tell();
  }
  // Kept here too, for the moment before the server tells; a browser may refuse to.
  function kept() {
    try {
      return localStorage.getItem("tempera-theme") ?? "system";
    } catch {
      return "system";
    }
  }
  function keep(chosen) {
    try {
      localStorage.setItem("tempera-theme", chosen);
    } catch {
      return;
    }
  }

  // Streamlit's own elements have names in English, and the field for files says that it is none. One element may have
  // another name later: the eye of a key, a message that is drawn in another's place.
  const named = new WeakMap();
  function name(words) {
    for (const one of document.querySelectorAll("[aria-label]")) {
      const known = named.get(one);
      const english = known?.ours === one.ariaLabel ? known.english : one.ariaLabel;
      if (!Object.hasOwn(words, english)) continue;
      const ours = words[english];
      named.set(one, { english, ours });
      if (one.ariaLabel !== ours) one.ariaLabel = ours;
    }
    for (const one of document.querySelectorAll(WITH_WORDS)) one.childNodes.forEach((part) => rename(part, words));
    const skip = document.querySelector("[data-testid=stSkipToContent]");
    const said = words["Skip to main content"];
    if (skip && said && skip.textContent !== said) skip.textContent = said;
    for (const one of document.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]")) {
      one.role = "group";
    }
  }

  // So have the field for files (“Upload”, and “100MB per file • DB” under it) and what is said where the server is away:
  // there is no way to set their words.
  const WITH_WORDS =
    "[data-testid=stFileUploaderDropzone] button p, [data-testid=stFileUploaderDropzoneInstructions] span, "
    + "[data-testid=stDialog] h2[slot=title], [data-testid=stDialog] h2[slot=title] + div > div";
  const SIZE = /^(\S+) per file/;
  function rename(text, words) {
    if (text.nodeType !== Node.TEXT_NODE) return;
    const known = named.get(text);
    const english = known?.ours === text.nodeValue ? known.english : text.nodeValue;
    const size = (said, most) => words["{size} per file"]?.replace("{size}", most) ?? said;
    const ours = words[english] ?? english.replace(SIZE, size);
    named.set(text, { english, ours });
    if (text.nodeValue !== ours) text.nodeValue = ours;
  }

  // The first thing that Tab reaches leads to where something is typed; Streamlit's own way leads to the page's top.
  const FIELD = "[data-testid=stChatInputTextArea], .st-key-sweep_prompt textarea";
  function skip(event) {
    const field = document.querySelector(FIELD);
    if (!field) return;
    event.preventDefault();
    field.focus();
  }

  // Whether a press or the keyboard has led to the page's content: after a press the next key, Ctrl and A say, would have
  // it framed.
  addEventListener("focusin", ({ target }) => {
    const pressed = target.matches?.(".stMain:not(:focus-visible)") ?? false;
    document.documentElement.toggleAttribute("data-content-pressed", pressed);
  });

  // On a phone the sidebar lies over the page: it closes when something in it was chosen.
  const CHOICES = "[class*=st-key-chat_open_], [class*=st-key-sweep_open_], [class*=st-key-chat_new], .st-key-sweep_new";
  const PHONE = "(max-width: 768px)";
  // What is still being drawn is too short to be scrolled to: it is done again, until somebody does something else.
  function keepInView(selector) {
    const drawn = new ResizeObserver(() => document.querySelector(selector)?.scrollIntoView());
    drawn.observe(document.querySelector("[data-testid=stMainBlockContainer]"));
    for (const act of ["wheel", "touchmove", "keydown", "pointerdown"]) {
      addEventListener(act, () => drawn.disconnect(), { once: true });
    }
  }
  function press(selector) {
    setTimeout(() => document.querySelector(selector)?.click()); // after what was pressed has been told
  }
  addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-testid=stSkipToContent]")) skip(event);
    // What stands under a figure of Usage opens a part further down: it is brought into view.
    if (on(".st-key-usage_tiles button")) keepInView(".st-key-usage_more");
    // A slide begins at its title, however far the page was scrolled.
    if (on(".st-key-sweep_present_now, .st-key-sweep_present, .st-key-sweep_slide_bar")) keepInView(".st-key-sweep_slide");
    // Below a long list what opens would be out of sight.
    const below = on(".st-key-chat_bring_in summary")?.closest("details");
    if (below) setTimeout(() => below.scrollIntoView({ block: "nearest" }), 300);
    if (on(".st-key-help_open, .st-key-erase_open, .st-key-links_open")) press(".st-key-menu button[aria-expanded=true]");
    if (on("[data-testid=stSidebar] button") && on(CHOICES) && asked(PHONE).matches) {
      press("[data-testid=stSidebarCollapseButton] button");
    }
    // There the settings are a sheet over the conversation: a press on what is behind it closes it.
    const behind = on(".stMain") && (on(".st-key-chat_ask_again") || !on(".st-key-chat_settings"));
    const shade = event.target.matches?.(".st-key-chat_settings > div > details[open]");
    if ((behind || shade) && asked(PHONE).matches) press(".st-key-chat_settings details[open] > summary");
  });

  // It closes as well when a file was chosen in it: what comes of it is seen on the page.
  addEventListener("change", ({ target }) => {
    if (target.matches?.("[data-testid=stSidebar] input[type=file]") && asked(PHONE).matches) {
      press("[data-testid=stSidebarCollapseButton] button");
    }
  });

  // A name in a list that is too long for its place is told whole by the pointer.
  addEventListener("pointerover", ({ target }) => {
    const name = target.closest?.("[data-testid=stSidebar] button p");
    const cut = name && (name.scrollHeight > name.clientHeight + 1 || name.scrollWidth > name.clientWidth + 1);
    if (name) name.title = cut ? name.textContent : "";
  });

  // What lib/ui/shared/page_style.py tells: text in CSS variables.
  function told(variable) {
    const text = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
    return text.replace(/^["']|["']$/g, "").replace(/\\(.)/g, "$1");
  }

  // A sign-in that has ended closes the page's connection; loaded anew, the same address asks for the password.
  const LOST = "[data-test-connection-state=PINGING_SERVER], [data-test-connection-state=DISCONNECTED_FOREVER]";
  let whyAsked = false;
  async function askWhy() {
    const lost = document.querySelector(LOST) !== null;
    if (!lost || whyAsked) return void (whyAsked = lost);
    whyAsked = true;
    const answer = await fetch("/_stcore/health").catch(() => null); // the server may be away: Streamlit tries again
    if (answer?.status === 401) location.reload();
  }

  let due = false;
  function look() {
    due = false;
    askWhy();
    use(told("--page-theme"));
    name(JSON.parse(told("--page-words") || "{}"));
  }
  new MutationObserver(() => {
    if (due) return;
    due = true;
    setTimeout(look, 200);
  }).observe(document.documentElement, { childList: true, subtree: true, attributeFilter: ["aria-label", "data-test-connection-state"] });
})();
