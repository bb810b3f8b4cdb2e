// Light or dark as it was chosen in the menu. Streamlit has no call for it and keeps its own choice apart for each path:
// so it follows the system, and this is what it hears of that. Kept here too, for the moment before the server tells.
const SCHEME = "(prefers-color-scheme: dark)";
const system = matchMedia(SCHEME);
const scheme = new EventTarget();
const asked = matchMedia.bind(window);
let theme = localStorage.getItem("tempera-theme") ?? "system";
Object.defineProperties(scheme, {
  media: { value: SCHEME },
  matches: { get: () => (theme === "system" ? system.matches : theme === "dark") },
  addListener: { value: (listener) => scheme.addEventListener("change", listener) },
  removeListener: { value: (listener) => scheme.removeEventListener("change", listener) },
});
function changed() {
  // What lies over the page, dialogs and menus, stands outside of the element that Streamlit tells this.
  document.documentElement.style.colorScheme = scheme.matches ? "dark" : "light";
  const event = new Event("change");
  event.matches = scheme.matches;
  scheme.dispatchEvent(event);
}
system.addEventListener("change", changed);
changed();
window.matchMedia = (query) => (query === SCHEME ? scheme : asked(query));
function useTheme(chosen) {
  if (!chosen || chosen === theme) return;
  theme = chosen;
  localStorage.setItem("tempera-theme", chosen);
  changed();
}

// While an input method composes a word (拼音, say), the keys are its own. Streamlit's shortcuts don't ask: Esc, which
// closes the list of candidates, would press Stop as well.
addEventListener(
  "keydown",
  (event) => {
    if (event.isComposing || event.keyCode === 229) event.stopPropagation();
  },
  true,
);

// A browser's translation moves text into elements of its own. React then removes, or inserts before, a node that is
// not where it left it, and that error takes the whole page down (facebook/react#11538).
const { removeChild, insertBefore } = Node.prototype;
Node.prototype.removeChild = function (child) {
  return child.parentNode === this ? removeChild.call(this, child) : child;
};
Node.prototype.insertBefore = function (node, before) {
  return insertBefore.call(this, node, before?.parentNode === this ? before : null);
};

// Streamlit's page says that it is English, whatever it is in: lib/ui/main.py tells its language in a CSS variable.
// While an answer is written, a translation would keep the words of the moment: it has to wait until Stop is gone.
const LIVE = ".st-key-chat_stop, .st-key-sweep_stop";
let due = false;
// What lib/ui/shared/frame.py tells the page: text in a CSS variable.
function told(variable) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  return text.replace(/^["']|["']$/g, "").replace(/\\(.)/g, "$1");
}
function mark() {
  due = false;
  focus();
  const root = document.documentElement;
  const language = told("--page-language");
  if (language && root.lang !== language) root.lang = language;
  name(told("--page-words"));
  useTheme(told("--page-theme"));
  const translate = document.querySelector(LIVE) === null;
  if (document.body.translate !== translate) document.body.translate = translate;
}

// Enter in the address connects, as it does in the key below it: that one is in a form, the address can't be.
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.closest?.(".st-key-connection_base_url")) return;
  setTimeout(() => document.querySelector(".st-key-connection_save button")?.click()); // when the address is told
});

// Streamlit's own elements have names in English, and the field for files says that it is none.
function name(words) {
  for (const [english, ours] of Object.entries(JSON.parse(words || "{}"))) {
    for (const one of document.querySelectorAll(`[aria-label="${english}"], [data-named="${english}"]`)) {
      one.dataset.named = english;
      if (one.ariaLabel !== ours) one.ariaLabel = ours;
    }
  }
  const skip = document.querySelector("[data-testid=stSkipToContent]");
  const said = JSON.parse(words || "{}")["Skip to main content"];
  if (skip && said && skip.textContent !== said) skip.textContent = said;
  for (const one of document.querySelectorAll("[data-testid=stFileUploaderDropzone][role=presentation]")) {
    one.role = "group";
  }
  // What may be scrolled has to be reached by keys.
  for (const one of document.querySelectorAll("[data-testid=stPopoverBody]:not([tabindex])")) one.tabIndex = 0;
}

// The first thing that Tab reaches leads to where something is typed; Streamlit's own way leads to the top of the page.
const FIELD = "[data-testid=stChatInputTextArea], .st-key-sweep_prompt textarea";
addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-testid=stSkipToContent]")) return;
  const field = document.querySelector(FIELD);
  if (!field) return;
  event.preventDefault();
  field.focus();
});

// The menu gives way to the dialog that was opened from it.
addEventListener("click", (event) => {
  if (!event.target.closest?.(".st-key-help_open, .st-key-erase_open")) return;
  setTimeout(() => document.querySelector(".st-key-menu button[aria-expanded=true]")?.click());
});

// On a phone the sidebar lies over the page: it closes when something in it was chosen.
const CHOSEN = "[class*=st-key-chat_open_], [class*=st-key-sweep_open_], [class*=st-key-chat_new], .st-key-sweep_new";
addEventListener("click", (event) => {
  if (!matchMedia("(max-width: 768px)").matches || !event.target.closest?.("[data-testid=stSidebar] button")) return;
  if (event.target.closest(CHOSEN)) {
    setTimeout(() => document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click());
  }
});

// The connection's dialog begins where something is to be typed, and leads on to the message: a key, Enter, a question,
// Enter. Not on a phone, where a keyboard would cover the dialog before it is read.
let keyField = null;
let composer = null;
let connected = 0;
function focus() {
  const field = document.querySelector(".st-key-connection_key input");
  if (field !== keyField && matchMedia("(pointer: fine)").matches) aim(field);
  keyField = field;
  // A page begins in its composer, but not where the hand is elsewhere already.
  const begun = document.querySelector("[data-testid=stChatInputTextArea]");
  if (begun !== composer && matchMedia("(pointer: fine)").matches) aim(begun);
  composer = begun;
  const times = Number(told("--connected"));
  if (times > connected) aim(document.querySelector("[data-testid=stChatInputTextArea]"));
  connected = times;
}
// For a while again and again: the dialog takes the focus when it opens, and gives it back when it is gone. What was
// chosen meanwhile keeps it.
function aim(field, times = 10) {
  const dialog = document.querySelector("[role=dialog]");
  const at = document.activeElement ?? document.body;
  const free = dialog ? !dialog.contains(at) || at === dialog : at.matches("body, .st-key-connection_open *, .st-key-frame a");
  if (free && field && (!dialog || dialog.contains(field))) field.focus({ preventScroll: true });
  if (times) setTimeout(aim, 100, field, times - 1);
}
new MutationObserver(() => {
  if (due) return;
  due = true;
  setTimeout(mark, 200);
}).observe(document.documentElement, { childList: true, subtree: true });

// Streamlit hears of a text when its field is left, or at Ctrl and Enter. A variable that is complete brings its list of
// inputs at once, while the prompt is still being written.
const VARIABLES = /\{\{[^{}\n]+\}\}/g;
addEventListener("input", (event) => {
  const field = event.target;
  if (event.isComposing || !field.closest?.(".st-key-sweep_prompt")) return;
  const variables = (field.value.match(VARIABLES) ?? []).join();
  if (variables === (field.dataset.variables ?? "")) return;
  field.dataset.variables = variables;
  // After React has taken up what was typed: the keys send what it knows.
  setTimeout(() => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true })));
});
