// A file to be saved has what was typed or chosen last. Streamlit hears of a text when its field is left, and the press
// on a button that saves is what leaves it: the file would be made without that text, and a button that is drawn anew
// between press and release hears no press at all. What was switched or picked from a list is heard of at once, but a
// file is made as the page stands, which has not followed yet. So the press waits until the page has taken it in.
(() => {
  const SAVES = "[data-testid=stDownloadButton]";
  const FIELDS = "[data-testid=stTextInput], [data-testid=stTextArea], [data-testid=stNumberInput]";
  const CHOICES = [
    ...["stCheckbox", "stRadio"].map((name) => `[data-testid=${name}] label`), // whose box hears of no click on its words
    ...["stButtonGroup", "stButton"].map((name) => `[data-testid=${name}] button`),
    ...["[role=option]", "[role=slider]", "[data-baseweb=tag] *"],
  ].join();
  // ms; a run may be over before it is seen here, and a page that is busy for long still lets one save.
  const UNSEEN = 2000;
  const LONGEST = 5000;
  // ms; between the end of one run and the beginning of the next that was asked for meanwhile.
  const BETWEEN = 200;
  let typed = "no"; // "open" in a field that is not left yet, "told" while Streamlit takes in what was typed or chosen
  let behind = false; // whether another run was under way when it was told: that one's end comes first
  let before = ""; // what stood in the field, of which nothing is told where it stands there again
  let held = null; // the button that is being pressed meanwhile, by its key
  let waiting = null; // the one that is to be pressed for them, and when
  let timer = 0;
  let nothing = 0;

  // A form's fields are not told before it is sent.
  function typing(target) {
    return target.closest?.(FIELDS) && !target.closest("[data-testid=stForm]");
  }
  function tell() {
    typed = "told";
    behind = !isAtRest();
    forgetUnlessRun();
  }
  // What is chosen already and is pressed again changes nothing, and no run ends that.
  function forgetUnlessRun() {
    clearTimeout(nothing);
    nothing = setTimeout(() => typed === "told" && isAtRest() && (typed = "no"), UNSEEN);
  }
  function keyOf(target) {
    const keyed = target?.closest?.(SAVES)?.closest("[class*=st-key-]");
    return keyed ? [...keyed.classList].find((name) => name.startsWith("st-key-")) : null;
  }
  function isAtRest() {
    return document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]") !== null;
  }

  function isUpToDate() {
    return typed === "no" && isAtRest();
  }

  function pressIn(ms) {
    clearTimeout(timer); // one that is left over would press for the next file, too early
    timer = setTimeout(press, ms);
  }
  function pressWhenTaken(key) {
    waiting = key;
    pressIn(!isAtRest() ? LONGEST : typed === "no" ? 0 : UNSEEN);
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
    tell();
    before = event.target.value;
  }

  addEventListener("change", ({ target }) => target.matches?.("[type=checkbox], [type=radio], [type=range]") && tell(), true);
  addEventListener("click", ({ target }) => target.closest?.(CHOICES) && tell(), true);
  addEventListener("keydown", ({ key, target }) => key === "Enter" && target.matches?.("[role=combobox]") && tell(), true);
  addEventListener("focusin", (event) => (before = event.target.value), true);
  addEventListener("input", ({ target }) => typing(target) && changed(target.value !== before), true);
  addEventListener("focusout", told, true);
  addEventListener("keydown", (event) => sends(event) && told(event), true);
  addEventListener("pointerdown", (event) => (held = isUpToDate() ? null : keyOf(event.target)), true);
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
      const byKeyboard = event.detail === 0 && typed !== "open" && !isUpToDate();
      if (key === held || byKeyboard) swallow(event);
      if (byKeyboard) pressWhenTaken(key);
      held = null;
    },
    true,
  );
  new MutationObserver(() => {
    const rests = isAtRest();
    const others = rests && typed === "told" && behind; // the end of what was under way already
    if (others) {
      behind = false;
      forgetUnlessRun();
    } else if (typed === "told" && rests) typed = "no";
    if (waiting) pressIn(!rests ? LONGEST : others ? UNSEEN : BETWEEN); // after the last of it is drawn
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["data-test-script-state"] });
})();
