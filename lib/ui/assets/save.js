// A file to be saved has what was typed last. Streamlit hears of a text when its field is left, and the press on a
// button that saves is what leaves it: the file would be made without that text, and a button that is drawn anew between
// press and release hears no press at all. So the press waits until the page has taken in what was typed.
(() => {
  const SAVES = "[data-testid=stDownloadButton]";
  const FIELDS = "[data-testid=stTextInput], [data-testid=stTextArea], [data-testid=stNumberInput]";
  // ms; a run may be over before it is seen here, and a page that is busy for long, with an answer that comes in, still
  // lets one save.
  const UNSEEN = 2000;
  const LONGEST = 5000;
  let typed = "no"; // "open" in a field that is not left yet, "told" while Streamlit takes it in
  let before = ""; // what stood in the field, of which nothing is told where it stands there again
  let held = null; // the button that is being pressed meanwhile, by its key
  let waiting = null; // the one that is to be pressed for them, and when
  let timer = 0;

  // A form's fields are not told before it is sent.
  function typing(target) {
    return target.closest?.(FIELDS) && !target.closest("[data-testid=stForm]");
  }
  function keyOf(target) {
    const keyed = target?.closest?.(SAVES)?.closest("[class*=st-key-]");
    return keyed ? [...keyed.classList].find((name) => name.startsWith("st-key-")) : null;
  }
  function isAtRest() {
    return document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]") !== null;
  }

  function pressIn(ms) {
    clearTimeout(timer); // one that is left over would press for the next file, too early
    timer = setTimeout(press, ms);
  }
  function pressWhenTaken(key) {
    waiting = key;
    pressIn(typed === "no" ? 0 : isAtRest() ? UNSEEN : LONGEST);
  }
  // The button is looked for when it is its turn: it may be another by then.
  function press() {
    const key = waiting;
    waiting = null;
    if (typed === "told") typed = "no";
    if (key) document.querySelector(`.${key}:not([data-retained]) button`)?.click();
  }
  function swallow(event) {
    event.stopImmediatePropagation();
    event.preventDefault();
  }
  function changed(differs) {
    if (differs) typed = "open";
    else if (typed === "open") typed = "no";
  }
  // Enter sends a line, but in a longer text it begins one.
  function sends(event) {
    return event.key === "Enter" && !event.isComposing && (event.target.matches?.("input") || event.ctrlKey || event.metaKey);
  }
  function told(event) {
    if (typed !== "open") return;
    typed = "told";
    before = event.target.value;
  }

  addEventListener("focusin", (event) => (before = event.target.value), true);
  addEventListener("input", ({ target }) => typing(target) && changed(target.value !== before), true);
  addEventListener("focusout", told, true);
  addEventListener("keydown", (event) => sends(event) && told(event), true);
  addEventListener("pointerdown", (event) => (held = typed === "no" ? null : keyOf(event.target)), true);
  addEventListener(
    "pointerup",
    (event) => {
      const under = document.elementFromPoint(event.clientX, event.clientY);
      if (held && keyOf(under) === held) pressWhenTaken(held);
    },
    true,
  );
  addEventListener(
    "click",
    (event) => {
      const key = event.isTrusted ? keyOf(event.target) : null;
      if (!key) return;
      const byKeyboard = event.detail === 0 && typed === "told";
      if (key === held || byKeyboard) swallow(event);
      if (byKeyboard) pressWhenTaken(key);
      held = null;
    },
    true,
  );
  new MutationObserver(() => {
    const rests = isAtRest();
    if (typed === "told" && rests) typed = "no";
    if (waiting) pressIn(rests ? 0 : LONGEST); // after the last of it is drawn
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["data-test-script-state"] });
})();
