// A file to be saved has what was typed last. Streamlit hears of a text when its field is left, and the press on a
// button that saves is what leaves it: the file would be made without that text, and a button that is drawn anew between
// press and release hears no press at all. So the press waits until the page has taken in what was typed.
(() => {
  const SAVES = "[data-testid=stDownloadButton]";
  const FIELDS = "[data-testid=stTextInput], [data-testid=stTextArea], [data-testid=stNumberInput]";
  const LONGEST = 5000; // ms; a page that is busy for longer, with an answer that comes in, still lets one save
  let typed = "no"; // "open" in a field that is not left yet, "told" while Streamlit takes it in
  let held = null; // the button that is being pressed meanwhile, by its key
  let waiting = null;

  // A form's fields are not told before it is sent.
  function typing(target) {
    return target.closest?.(FIELDS) && !target.closest("[data-testid=stForm]");
  }
  function keyOf(target) {
    const keyed = target?.closest?.(SAVES)?.closest("[class*=st-key-]");
    return keyed ? [...keyed.classList].find((name) => name.startsWith("st-key-")) : null;
  }

  function pressWhenTaken(key) {
    waiting = key;
    if (typed === "no") setTimeout(press);
    else setTimeout(press, LONGEST);
  }
  // The button is looked for when it is its turn: it may be another by then.
  function press() {
    const key = waiting;
    waiting = null;
    if (key) document.querySelector(`.${key}:not([data-retained]) button`)?.click();
  }
  function swallow(event) {
    event.stopImmediatePropagation();
    event.preventDefault();
  }
  function told() {
    if (typed === "open") typed = "told";
  }

  addEventListener("input", (event) => typing(event.target) && (typed = "open"), true);
  addEventListener("focusout", told, true);
  addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && told(), true);
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
    if (typed !== "told" || !document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]")) return;
    typed = "no";
    setTimeout(press); // after the last of it is drawn
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["data-test-script-state"] });
})();
