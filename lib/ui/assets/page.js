// At a page's address Streamlit looks for its server below that path first, and only when it has failed, and waited, at
// the root, where it is. Told before it starts, every page but the first comes as fast as that one.
window.__streamlit = { BACKEND_BASE_URL: `${location.origin}/` };

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
function mark() {
  due = false;
  // On a slow line the head is here, and is looked at, before the body has begun.
  if (!document.body) return;
  focus();
  const root = document.documentElement;
  const language = getComputedStyle(root).getPropertyValue("--page-language").replace(/["' ]/g, "");
  if (language && root.lang !== language) root.lang = language;
  const translate = document.querySelector(LIVE) === null;
  if (document.body.translate !== translate) document.body.translate = translate;
}

// Enter in one of these fields presses a button. Neither can be in a form: the address is looked at as it is typed, and
// what is typed of a rule is kept while something else is looked at.
const ENTER_PRESSES = {
  ".st-key-connection_base_url": ".st-key-connection_save button",
  ".st-key-sweep_rule_value": ".st-key-sweep_rule_add button",
  ".st-key-sweep_rule_number": ".st-key-sweep_rule_add button",
};
addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  const field = Object.keys(ENTER_PRESSES).find((selector) => event.target.closest?.(selector));
  if (field) setTimeout(() => document.querySelector(ENTER_PRESSES[field])?.click()); // when the text is told
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
  // A page begins in its composer, or in the prompt of a sweep, but not where the hand is elsewhere already.
  const begun = document.querySelector("[data-testid=stChatInputTextArea], .st-key-sweep_prompt textarea");
  if (begun !== composer && matchMedia("(pointer: fine)").matches) aim(begun);
  composer = begun;
  const times = Number(getComputedStyle(document.documentElement).getPropertyValue("--connected"));
  // The dialog goes with the end of the same run, which may take longer than is aimed.
  if (times <= connected || document.querySelector("[role=dialog]")) return;
  aim(document.querySelector("[data-testid=stChatInputTextArea]"));
  connected = times;
}
// For a while again and again: the dialog takes the focus when it opens, and gives it back when it is gone. What was
// chosen meanwhile keeps it.
function aim(field, times = 10) {
  const dialog = document.querySelector("[role=dialog]");
  const at = document.activeElement ?? document.body;
  const left = "body, .st-key-connection_open *, .st-key-frame a";
  const free = dialog ? !dialog.contains(at) || at === dialog : at?.matches(left);
  if (free && field && (!dialog || dialog.contains(field))) field.focus({ preventScroll: true });
  if (times) setTimeout(aim, 100, field, times - 1);
}
new MutationObserver(() => {
  if (due) return;
  due = true;
  setTimeout(mark, 200);
}).observe(document.documentElement, { childList: true, subtree: true });

// Streamlit hears of a text when its field is left, or at Ctrl and Enter. Here it hears of it while it is still being
// written: when somebody pauses, which tells what the sweep will cost, and at once of a variable that is complete, which
// brings its list of inputs.
const VARIABLES = /\{\{[^{}\n]+\}\}/g;
const PAUSE = 1000; // ms
let pause = 0;
function typed(event) {
  const field = event.target;
  if (!field.closest?.(".st-key-sweep_prompt, .st-key-sweep_system")) return;
  clearTimeout(pause);
  if (event.isComposing) return;
  const variables = (field.value.match(VARIABLES) ?? []).join();
  const complete = variables !== (field.dataset.variables ?? "");
  field.dataset.variables = variables;
  // After React has taken up what was typed: the keys send what it knows.
  pause = setTimeout(
    () => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true })),
    complete ? 0 : PAUSE,
  );
}
addEventListener("input", typed);
addEventListener("compositionend", typed); // no input follows it

// A table of Streamlit's takes a cell once it has drawn that the pointer moves over it. A press that comes before, and
// Tab, give it the focus and no cell, and what is typed then is lost. It is told of the pointer, and asked once more.
const TABLE = "[data-testid=stDataFrame]";
const DRAWN = 300; // ms until it shows which cell it has
let over = null; // the table under the pointer,
let since = 0; // and from when on
let early = null; // a press that came before the table can have known
addEventListener("pointermove", ({ target, timeStamp }) => {
  const table = target.closest?.(TABLE);
  if (table !== over) [over, since] = [table, timeStamp];
}, true);
addEventListener("pointerdown", (event) => {
  const table = event.target.closest?.(TABLE);
  early = table && (table !== over || event.timeStamp - since < 100) ? event : null;
  // Where the table has the focus already, nothing more tells of the press.
  const canvas = document.activeElement?.closest("canvas"); // its cells are elements inside it
  if (early && table.contains(canvas)) askOnceMore(canvas, early);
}, true);
addEventListener("focusin", ({ target, relatedTarget }) => {
  if (!target.matches?.(`${TABLE} canvas`)) return;
  if (early || (relatedTarget && target.matches(":focus-visible"))) askOnceMore(target, early);
});
function askOnceMore(canvas, press) {
  early = null;
  const { left, top } = canvas.getBoundingClientRect();
  const { clientX, clientY } = press ?? { clientX: left + 1, clientY: top + 1 };
  const tell = (what) => (press?.target ?? canvas).dispatchEvent(new PointerEvent(what, { clientX, clientY, bubbles: true }));
  const cell = () => canvas.querySelector("[aria-selected=true]")?.id;
  const before = cell();
  tell("pointermove");
  setTimeout(() => {
    if (!canvas.contains(document.activeElement) || cell() !== before) return;
    if (press) return ["pointerdown", "pointerup"].forEach(tell);
    if (before) return;
    canvas.blur();
    canvas.focus();
  }, DRAWN);
}
