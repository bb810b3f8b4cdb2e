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
  const root = document.documentElement;
  const language = getComputedStyle(root).getPropertyValue("--page-language").replace(/["' ]/g, "");
  if (language && root.lang !== language) root.lang = language;
  const translate = document.querySelector(LIVE) === null;
  if (document.body.translate !== translate) document.body.translate = translate;
}
new MutationObserver(() => {
  if (due) return;
  due = true;
  setTimeout(mark, 200);
}).observe(document.documentElement, { childList: true, subtree: true });
