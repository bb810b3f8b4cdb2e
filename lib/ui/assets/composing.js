// While an input method composes a word (拼音, say), the keys are its own. Streamlit's shortcuts don't ask: Esc, which
// closes the list of candidates, would press Stop as well.
addEventListener(
  "keydown",
  (event) => {
    if (event.isComposing || event.keyCode === 229) event.stopPropagation();
  },
  true,
);
