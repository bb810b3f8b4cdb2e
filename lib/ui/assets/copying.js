// Copy copies: it asks the server for the text to the letter, which comes in a box with Streamlit's own copy button, and
// that one is pressed as soon as it is there. Where a browser does not allow it so long after the press, the box is
// there with its button all the same.
(() => {
  const LONGEST = 4000; // ms; browsers let a press copy for about five seconds

  addEventListener("click", ({ target }) => {
    const copy = target.closest?.("[class*=st-key-copy_] button")?.closest("[class*=st-key-copy_]");
    if (!copy) return;
    const name = [...copy.classList].find((one) => one.startsWith("st-key-copy_")).replace("copy_", "panel_");
    const found = () => document.querySelector(`.${name} [data-testid=stCode] button`);
    const before = found(); // a press on Copy closes the box again
    const seen = new MutationObserver(press);
    function press() {
      const button = found();
      if (!button || button === before) return;
      seen.disconnect();
      button.click();
    }
    seen.observe(document.body, { childList: true, subtree: true });
    setTimeout(() => seen.disconnect(), LONGEST);
  });
})();
