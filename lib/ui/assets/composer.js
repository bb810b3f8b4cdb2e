// The message that is being written, and what tells that one was answered. Streamlit tells the server nothing of a
// message before it is sent: what must not be lost until then is kept here.
(() => {
  const FIELD = "[data-testid=stChatInputTextArea]";
  const BUSY = ".st-key-chat_stop";
  const DRAFT = "draft";
  const LONG = 4000; // lib/chat/attachments.py has the same

  // A text that lib/ui/main.py has put into a CSS variable, in the visitor's language.
  function words(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).replace(/^\s*["']|["']\s*$/g, "");
  }

  // A draft survives a page change and a reload, in its tab only; the words of a temporary chat are kept nowhere.
  let field = null;
  function draft() {
    const found = document.querySelector(FIELD);
    if (found && found !== field && !found.value) fill(found, kept());
    if (found) keep(document.querySelector(".st-key-chat_temporary") ? "" : found.value);
    field = found;
  }
  function kept() {
    try {
      return sessionStorage.getItem(DRAFT) ?? "";
    } catch {
      return ""; // a browser may refuse to keep anything
    }
  }
  function keep(text) {
    try {
      if (text) sessionStorage.setItem(DRAFT, text);
      else sessionStorage.removeItem(DRAFT);
    } catch {
      // As above, or the text is too long: it is still in the field.
    }
  }
  function fill(area, text) {
    if (!text) return;
    // React takes no notice of a value that is set by its own property.
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A long text that is pasted goes along as a file: it would fill the field, and nobody could see the question.
  addEventListener(
    "paste",
    (event) => {
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (text.length <= LONG || !event.target.matches?.(FIELD)) return;
      const input = event.target.closest("[data-testid=stChatInput]")?.querySelector("input[type=file]");
      if (!input) return;
      event.preventDefault();
      event.stopPropagation();
      const files = new DataTransfer();
      files.items.add(new File([text], words("--pasted"), { type: "text/plain" }));
      input.files = files.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    },
    true,
  );

  // The title of a tab that is out of sight says when the answer is there; a sweep has its own, lib/ui/sweep/view.py.
  let busy = false;
  let done = false;
  function title() {
    const now = document.querySelector(BUSY) !== null;
    done = document.hidden && (done || (busy && !now));
    busy = now;
    const mark = `${words("--done")} · `;
    const bare = document.title.startsWith(mark) ? document.title.slice(mark.length) : document.title;
    const wanted = done ? mark + bare : bare;
    if (document.title !== wanted) document.title = wanted;
  }

  // Who has opened a field begins to type at once, at the end of what is in it; a name is chosen whole, to be written
  // anew. The field of a message may be drawn out of sight.
  const OPENED = [
    ".st-key-edited_message textarea",
    ".st-key-written_turn textarea",
    ".st-key-chat_rename input",
    ".st-key-sweep_rename input",
    ".st-key-chat_preset_name input",
  ];
  const begun = new Map();
  function begin() {
    for (const opened of OPENED) {
      const found = document.querySelector(opened);
      if (found && found !== begun.get(opened)) beginIn(found);
      begun.set(opened, found);
    }
  }
  function beginIn(field) {
    field.focus({ preventScroll: true });
    if (field.matches("input")) return choose(field);
    field.setSelectionRange(field.value.length, field.value.length);
    field.closest("[data-testid=stChatMessage], .st-key-written_turn_form").scrollIntoView({ block: "nearest" });
  }

  // The name comes into its field a moment after the field.
  function choose(field, times = 10) {
    if (document.activeElement !== field) return;
    field.select();
    if (!field.value && times) setTimeout(choose, 50, field, times - 1);
  }

  let next = 0;
  let due = false;
  function look() {
    due = false;
    draft();
    title();
  }
  addEventListener("input", (event) => event.target.matches?.(FIELD) && draft(), true);
  document.addEventListener("visibilitychange", title);
  new MutationObserver(() => {
    // Before the next key, which would press once more what has the focus, or scroll the page.
    next ||= requestAnimationFrame(() => {
      next = 0;
      begin();
    });
    if (due) return;
    due = true;
    setTimeout(look, 200);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
