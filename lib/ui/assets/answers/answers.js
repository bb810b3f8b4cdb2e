// The answers of a sweep: a grid of models and temperatures, or a few of them side by side to be read.
// Everything that is shown comes from the server: texts as HTML that lib/core/rich_text has made safe (`html`,
// `thinking`), everything else as plain text, which only ever goes through textContent.

// They come twice: once all of a sweep (`keep`), which Streamlit sends a browser once, and then, whenever something
// happens, what has changed since and how they are looked at (`show`). While a sweep runs both come also by themselves,
// through components of their own (`since`): what is drawn here then goes on being that of the page.

const kept = new WeakMap(); // What was chosen here (scroll, focus, repeats shown) lives on while data is redrawn.
const live = new Set(); // those that are on the page
const stock = new Map(); // all cells of a sweep by the version they were sent with; the last two
const NEWLINE = 10;
const lastRead = {}; // the temperature that Read was turned to, for when it is left and opened again
const READ_WIDTH = 300; // px that a column needs to be read
const VIEWS = ["grid", "read"]; // those that are drawn here; they are the first of all
const MANY = 300; // places from which on a browser should lay out only those in sight
const STARS = 5;
const STAYS = ["rate", "alike", "pick", "go"]; // what is done to answers that stay in view
const LINES = 5; // of a text in the grid, see answers.css
const LONG = 160; // characters from which on one of MANY texts fades out at its end, unmeasured

export default function ({ parentElement, data, setTriggerValue }) {
  if (!data?.length) return;
  if (data[0] !== "{".charCodeAt(0)) return keep(data);
  const told = JSON.parse(text(data));
  if (told.since) return live.forEach((answers) => answers.show(told));
  let answers = kept.get(parentElement);
  if (!answers) kept.set(parentElement, (answers = new Answers(parentElement)));
  live.add(answers);
  answers.tell = (what) => {
    if (STAYS.includes(what.what)) answers.stay();
    setTriggerValue("did", what);
  };
  answers.show(told);
  return () => {
    live.delete(answers);
    answers.marks.forEach((name) => CSS.highlights?.delete(name));
  };
}

function text(bytes) {
  return new TextDecoder().decode(bytes);
}

// A version, the end of a line, and all cells as JSON.
function keep(data) {
  const end = data.indexOf(NEWLINE);
  const version = text(data.subarray(0, end));
  if (!stock.has(version)) stock.set(version, JSON.parse(text(data.subarray(end + 1))));
  if (stock.size > 2) stock.delete(stock.keys().next().value);
  for (const answers of live) answers.arrived();
}

// The buttons above the answers are Streamlit's own. What is pressed there is shown at once, and the server follows.
addEventListener(
  "click",
  ({ target }) => {
    const at = (key) => {
      const button = target.closest?.(`.st-key-${key} button`);
      return button ? [...button.closest(`.st-key-${key}`).querySelectorAll("button")].indexOf(button) : -1;
    };
    const [pill, view, toRead] = [at("sweep_show"), at("sweep_view"), at("sweep_to_read")];
    for (const answers of live) {
      if (pill >= 0) answers.toggle(pill);
      else if (view >= 0 || toRead >= 0) answers.turnTo(toRead >= 0 ? "read" : VIEWS[view]);
      else if (target.closest?.("button")) answers.pressedView = null; // of what that leads to the server tells
    }
  },
  true,
);

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "html") made.innerHTML = value; // from the server's renderer only
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined && child !== null && child !== ""));
  return made;
}

// All cells: those of `stock`, but those that have `changed` since. One that is as it was before is the same object, so
// that it is not drawn again.
function asBefore(before, stock, changed) {
  const all = { ...stock, ...changed };
  for (const [id, cell] of Object.entries(before ?? {})) {
    if (all[id] === cell || !all[id] || JSON.stringify(all[id]) !== JSON.stringify(cell)) continue;
    all[id] = cell;
    if (!changed[id]) stock[id] = cell; // not compared again, then
  }
  return all;
}

class Answers {
  constructor(parent) {
    this.root = el("div", { class: "answers" });
    parent.append(this.root);
    this.marks = ["sweep-found", "sweep-different"];
    this.repeat = new Map(); // the repeat to which a place of the grid was turned
    this.running = new Map(); // the answer that a place showed while the sweep ran
    this.articles = new Map(); // what is drawn of a cell
    this.focus = null; // "row_column" of the place that Tab reaches
    this.temperature = 0; // which of the temperatures Read shows, counted in those that are there
    this.pressedView = null; // the view that was asked for, and that the server has not told of yet
    this.tallest = { of: "", height: 0 }; // the room that answers have taken in Read
    this.root.addEventListener("keydown", (event) => this.pressed(event));
    this.watch = new ResizeObserver(() => {
      this.edges();
      this.letGo();
      if (this.data?.view === "read" && this.columnsThatFit() !== this.fit) this.drawRead();
    });
    this.watch.observe(this.root);
  }

  show(data) {
    // One that was told of before the last one is told of again when the page takes another look, say.
    const [tag, number] = data.order;
    if (tag === this.order?.[0] && number < this.order[1]) return;
    this.order = data.order;
    // The buttons above the answers are those that were drawn with them.
    if (data.since) data.all_kinds = this.next?.all_kinds ?? this.data?.all_kinds ?? data.all_kinds;
    if (data.stale) this.tell({ what: "again" });
    this.next = data;
    this.arrived();
  }

  // The cells come in a message of their own, which may be the later one.
  arrived() {
    const data = this.next;
    const all = data && stock.get(data.base);
    if (!all) return;
    this.next = null;
    if (data.place.id !== this.placeId || data.view === this.pressedView) this.pressedView = null;
    this.data = { ...data, view: this.pressedView ?? data.view };
    if (data.place.id !== this.placeId) this.running.clear();
    this.all = asBefore(this.all, all, data.changed);
    this.told = JSON.stringify([data.words, data.repeats]);
    // What was pressed here since is the newer word.
    if (data.place.id !== this.placeId || String(data.kinds) === String(this.pressedKinds)) this.pressedKinds = null;
    this.arrange();
    // Until then the page keeps room for them: without, what can be done with a sweep would be all that is there.
    this.root.getRootNode().host?.closest(".st-key-sweep_grid")?.setAttribute("data-drawn", "");
  }

  // Which of the answers are looked at, and so which models and temperatures there are.
  arrange() {
    const { data, all } = this;
    const kinds = this.pressedKinds ?? data.kinds;
    const looked = (id) => id in all && (!kinds.length || all[id].kinds.some((kind) => kinds.includes(kind)));
    this.cells = {};
    for (const id of data.among ?? Object.keys(all)) if (looked(id)) this.cells[id] = all[id];
    const places = Object.keys(this.cells).map((id) => id.split("_").map(Number));
    const rows = new Set(places.map(([row]) => row));
    const columns = new Set(places.map(([, column]) => column));
    this.models = data.models.filter((model) => rows.has(model.row));
    // Of one model alone the answers to the same question stand beside each other: what the temperature does is seen.
    const repeats = [...new Set(places.map(([, , repeat]) => repeat))].sort((one, other) => one - other);
    this.across = this.models.flatMap((model) => (data.beside ? repeats.map((repeat) => ({ ...model, repeat })) : [model]));
    this.temperatures = data.temperatures.filter((one) => columns.has(one.column));
    if (data.place.id !== this.placeId) this.goTo(data.place);
    this.temperature = Math.min(this.temperature, Math.max(0, this.temperatures.length - 1));
    if (data.view === "read") this.drawRead();
    else this.drawGrid();
    this.highlight();
  }

  // Another view is shown before the server has heard of it: of an answer to read, its first lines.
  turnTo(view) {
    if (view === this.data?.view) return;
    // Two answers that are compared come from the server.
    this.pressedView = VIEWS.includes(view) && !(view === "read" && this.data?.compares) ? view : null;
    if (!this.pressedView || !this.data) return;
    this.data = { ...this.data, view };
    this.arrange();
  }

  toggle(at) {
    const kind = this.data?.all_kinds[at];
    if (!kind || this.data.view === "read") return;
    const now = this.pressedKinds ?? this.data.kinds;
    this.pressedKinds = this.data.all_kinds.filter((one) => now.includes(one) !== (one === kind));
    this.arrange();
  }

  goTo(place) {
    this.placeId = place.id;
    const column = lastRead.place === place.id ? lastRead.column : place.column;
    const at = this.temperatures.findIndex((one) => one.column === column);
    if (at >= 0) this.temperature = at;
    this.focus = `${place.row}_${place.column}${this.data.beside ? `_${place.repeat}` : ""}`;
    // The first one is where everything begins; nobody need have turned to it.
    if (place.repeat) this.repeat.set(this.focus, place.repeat);
    else this.repeat.delete(this.focus);
  }

  // The grid: a row for each temperature, a column for each model.

  drawGrid() {
    const { data } = this;
    const shape = JSON.stringify([this.across, this.temperatures, data.repeats, data.words]);
    if (this.shape !== shape || !this.grid) {
      this.shape = shape;
      this.buildGrid();
    }
    const { scrolled } = this;
    const isBack = !this.grid.isConnected;
    this.grid.hidden = !this.places.size; // else the head of a table without rows is left
    if (isBack) this.root.replaceChildren(this.grid);
    for (const [place, box] of this.places) this.fill(place, box);
    this.fade();
    this.hold();
    if (isBack && scrolled) this.grid.scrollTo(...scrolled);
    this.rove();
  }

  buildGrid() {
    const { words, beside } = this.data;
    this.places = new Map();
    const corner = el("div", { role: "columnheader", class: "corner" }, words.temperature);
    const models = this.across.map((model) => {
      const note = [beside && `${words.answer} ${model.repeat + 1}`, model.note].filter(Boolean).join(" · ");
      return el("div", { role: "columnheader", class: "model", title: model.name }, model.short, model.service && el("small", {}, model.service), note && el("small", {}, note));
    });
    const rows = this.temperatures.map((temperature) => {
      const boxes = this.across.map((model) => {
        const place = `${model.row}_${temperature.column}${beside ? `_${model.repeat}` : ""}`;
        const box = el("div", { role: "gridcell", class: "place", tabindex: "-1", "data-place": place });
        this.places.set(place, box);
        return box;
      });
      const head = el("div", { role: "rowheader", class: "temperature" }, el("span", {}, words.temperature), " ", temperature.name);
      return el("div", { role: "row" }, head, ...boxes);
    });
    if (this.grid) this.watch.unobserve(this.grid);
    this.grid = el("div", { role: "grid", class: "grid", "aria-label": words.grid }, el("div", { role: "row" }, corner, ...models), ...rows);
    this.grid.classList.toggle("many", this.places.size > MANY);
    this.grid.classList.toggle("beside", beside);
    this.grid.style.setProperty("--models", this.across.length);
    this.grid.addEventListener("click", (event) => this.clicked(event));
    this.grid.addEventListener("pointerleave", () => this.hold());
    this.grid.addEventListener("scroll", () => {
      this.scrolled = [this.grid.scrollLeft, this.grid.scrollTop];
      this.edges();
    }, { passive: true });
    this.watch.observe(this.grid);
    this.grid.addEventListener("focusin", (event) => {
      const box = event.target.closest(".place");
      if (box) this.setFocus(box.dataset.place);
    });
  }

  // While the sweep runs no place gets lower again, nor at its end before the pointer has left: what somebody is about to
  // press stays where it is.
  hold() {
    const { runs } = this.data;
    if (!runs && this.grid.matches(":hover")) return;
    this.grid.classList.toggle("runs", runs);
    const boxes = [...this.places.values()];
    const heights = runs ? boxes.map((box) => `${box.offsetHeight}px`) : []; // all read before the first is set
    boxes.forEach((box, at) => (box.style.minHeight = heights[at] ?? ""));
  }

  // In another width they have other heights.
  letGo() {
    if (this.root.clientWidth === this.width) return;
    this.width = this.root.clientWidth;
    for (const box of this.places?.values() ?? []) box.style.minHeight = "";
    this.fade();
  }

  // A text that takes more lines than there is room for is cut, and fades out; one that would lose its last line only is
  // whole.
  fade() {
    if (!this.grid?.isConnected || this.places.size > MANY) return;
    const texts = [...this.grid.querySelectorAll(".cell .text")];
    const line = texts.length && parseFloat(getComputedStyle(texts[0]).lineHeight);
    const goesOn = texts.map((text) => text.scrollHeight > (LINES + 1) * line); // all read before the first is set
    texts.forEach((text, at) => text.classList.toggle("long", goesOn[at]));
  }

  // A shadow lies where the grid goes on to the side.
  edges() {
    const { grid } = this;
    const left = grid?.isConnected ? grid.scrollLeft : 0;
    this.root.classList.toggle("more-before", left > 1);
    this.root.classList.toggle("more-after", Boolean(grid?.isConnected) && left + grid.clientWidth < grid.scrollWidth - 1);
  }

  // One place: the article of the repeat that is looked at; first the one that was picked or has stars, else in all
  // places the same, the first one; while the sweep runs, and after it, another where that has failed or waits.
  fill(place, box) {
    const ids = this.repeatsOf(place);
    const turned = `${place}_${this.repeat.get(place)}`;
    const judged = ids.find((id) => this.cells[id].picked) ?? ids.find((id) => this.cells[id].stars);
    const there = this.data.runs && ids.find((id) => !["error", "missing"].includes(this.cells[id].state));
    if (there) this.running.set(place, there);
    const shown = [turned, judged, this.running.get(place)].find((id) => ids.includes(id)) ?? ids[0];
    const inside = box.contains(this.active()) && this.active().dataset.does;
    const told = this.told + this.nameOf(place) + this.data.beside;
    const article = shown ? this.article(shown, told) : el("article", { class: "cell empty" });
    if (article !== box.firstChild) {
      box.replaceChildren(article);
      // What comes in takes the focus from nobody.
      if (inside) (box.querySelector(`[data-does="${inside}"]`) ?? box).focus({ preventScroll: true });
    }
    box.setAttribute("aria-label", this.spoken(shown ?? (this.data.beside ? place : `${place}_0`)));
  }

  // A place of the grid has a cell of its own, `row_column_repeat`, or is turned through all of `row_column`.
  repeatsOf(place) {
    if (place.split("_").length > 2) return this.cells[place] ? [place] : [];
    const ids = [];
    for (let repeat = 0; repeat < this.data.repeats; repeat++) if (this.cells[`${place}_${repeat}`]) ids.push(`${place}_${repeat}`);
    return ids;
  }

  // Made once for as long as the answer stays as it is.
  article(id, told) {
    const cell = this.cells[id];
    const known = this.articles.get(id);
    if (known?.of === cell && known.told === told) return known;
    const made = this.card(id, cell, Number(id.split("_")[2]));
    [made.of, made.told] = [cell, told];
    this.articles.set(id, made);
    return made;
  }

  card(id, cell, repeat) {
    const { words, repeats, beside } = this.data;
    const pager = repeats > 1 && !beside && el("button", { "data-does": "next", title: `${words.answer} ${repeat + 1}/${repeats} · ${words.next}`, "aria-label": `${words.answer} ${repeat + 1}/${repeats} ${words.next}` }, `${words.answer} ${repeat + 1}/${repeats} ›`);
    const text = el("div", { class: "text", html: cell.html });
    if (this.places.size > MANY && text.textContent.length > LONG) text.classList.add("long");
    return el(
      "article",
      { class: `cell is-${cell.state}${cell.picked ? " picked" : ""}`, "data-cell": id, lang: cell.lang },
      el("header", {}, el("span", { class: "who" }, beside ? `${words.answer} ${repeat + 1}` : this.nameOf(id)), pager || "", this.stop(cell), ...this.labels(cell)),
      text,
      ...this.said(cell),
      el("footer", {}, el("span", { class: "figures" }, cell.figures), this.rating(cell)),
    );
  }

  // The stars of an answer, and those that may still be given; of many answers only what was given.
  rating({ stars, rated }) {
    const given = stars ? el("span", { class: "given" }, "★".repeat(stars)) : "";
    if (!rated || this.places.size > MANY) return given;
    // Who uses the keyboard presses a number, who listens reads.
    const open = el("span", { "aria-hidden": "true" }, "☆".repeat(STARS - (stars ?? 0)));
    return el("span", { class: "rating", "data-does": "rate", title: this.data.words.rate }, given, open);
  }

  labels(cell) {
    return [
      ...cell.marks.map((mark, number) => el("span", { class: "mark", title: cell.meaning?.[number] ?? "" }, mark)),
      ...cell.badges.map((badge) => el("span", { class: "badge" }, badge)),
    ];
  }

  said(cell) {
    return [cell.wait && el("p", { class: "note" }, cell.wait), cell.error && el("p", { class: "error" }, cell.error), ...cell.notes.map((note) => el("p", { class: "note" }, note))].filter(Boolean);
  }

  // Above the text: below it, it would go down with the longest answer beside it.
  stop(cell) {
    return cell.state === "running" ? el("button", { "data-does": "stop" }, this.data.words.stop) : "";
  }

  nameOf(id) {
    const [row, column] = id.split("_").map(Number);
    const model = this.data.models.find((one) => one.row === row)?.name ?? "";
    const temperature = this.data.temperatures.find((one) => one.column === column)?.name ?? "";
    return temperature ? `${model} · ${temperature}` : model;
  }

  spoken(id) {
    const cell = this.cells[id];
    const figures = cell ? [cell.error, ...cell.marks, cell.figures].filter(Boolean).join(", ") : "";
    return `${this.nameOf(id)}, ${Number(id.split("_")[2]) + 1}/${this.data.repeats}${figures ? `: ${figures}` : ""}`;
  }

  clicked(event) {
    const cell = event.target.closest("[data-cell]");
    if (!cell) return;
    const does = event.target.closest("[data-does]")?.dataset.does;
    if (does === "next") this.turn(cell.closest(".place").dataset.place);
    else if (does === "rate") this.rateAt(event, cell.dataset.cell);
    else if (does) this.tell({ what: does, cell: cell.dataset.cell });
    else if (!event.target.closest("a") && getSelection().isCollapsed) this.open(cell.dataset.cell);
  }

  open(cell) {
    this.tell({ what: "open", cell, fit: this.columnsThatFit() });
  }

  turn(place) {
    const box = this.places.get(place);
    const ids = this.repeatsOf(place);
    if (ids.length < 2) return;
    const next = ids[(ids.indexOf(box.firstChild.dataset.cell) + 1) % ids.length];
    this.repeat.set(place, Number(next.split("_")[2]));
    this.fill(place, box);
    box.querySelector('[data-does="next"]')?.focus();
    this.highlight();
  }

  // Keys: one place of the grid is reached by Tab, the arrows go on from there.

  active() {
    return this.root.getRootNode().activeElement;
  }

  setFocus(place) {
    this.focus = place;
    this.rove();
  }

  rove() {
    if (!this.places.has(this.focus)) this.focus = this.places.keys().next().value;
    for (const [place, box] of this.places) {
      const here = place === this.focus;
      box.tabIndex = here ? 0 : -1;
      // Tab walks through the one place it is at, not through the buttons of all.
      for (const button of box.querySelectorAll(":is(button, a)")) button.tabIndex = here ? 0 : -1;
    }
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (/^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "range") return;
    const cell = this.cellOf(event.target);
    if (/^[0-5]$/.test(event.key) && cell) {
      event.preventDefault();
      this.rate(cell, Number(event.key));
    } else if (this.data.view === "read") this.pressedInRead(event);
    else this.pressedInGrid(event, cell);
  }

  pressedInGrid(event, cell) {
    const box = event.target.closest(".place");
    if (!box || event.target.closest("button, a")) return;
    const columns = this.across.length;
    const boxes = [...this.places.values()];
    const at = boxes.indexOf(box);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -(at % columns), End: columns - 1 - (at % columns) }[event.key];
    if (event.key === "Enter" && cell) this.open(cell);
    else if (event.key === " ") this.turn(box.dataset.place);
    else if (step === undefined) return;
    else if (Math.abs(step) !== 1 || Math.floor((at + step) / columns) === Math.floor(at / columns)) boxes[at + step]?.focus();
    event.preventDefault();
  }

  cellOf(target) {
    return target.closest("[data-cell]")?.dataset.cell ?? target.closest(".place")?.querySelector("[data-cell]")?.dataset.cell;
  }

  // The star under the pointer; the same once more takes them back.
  rateAt({ target, clientX }, cell) {
    const { left, width } = target.closest("[data-does]").getBoundingClientRect();
    const stars = Math.min(STARS, 1 + Math.floor((STARS * (clientX - left)) / width));
    this.rate(cell, stars === this.cells[cell].stars ? 0 : stars);
  }

  rate(cell, stars) {
    this.tell({ what: "rate", cell, stars });
  }

  // Read: a few models side by side, all at the temperature of the scrubber.

  columnsThatFit() {
    return Math.max(1, Math.min(3, Math.floor(this.root.clientWidth / READ_WIDTH)));
  }

  drawRead() {
    const { data } = this;
    this.fit = this.columnsThatFit();
    const columns = data.pair ?? this.columnsShown();
    const bar = JSON.stringify([data.words, this.across, this.temperatures, data.repeats, data.first, data.repeat, this.fit, !data.pair]);
    if (!this.read?.isConnected || this.bar !== bar) {
      this.bar = bar;
      const does = this.active()?.dataset?.does;
      this.columns = el("div", { class: "columns" });
      this.keepRoom();
      this.read = el("div", { class: "read" }, data.pair ? this.pairBar() : this.readBar(), this.columns);
      this.root.replaceChildren(this.read);
      if (does) this.read.querySelector(`[data-does="${does}"]`)?.focus({ preventScroll: true });
    }
    this.columns.style.setProperty("--columns", Math.max(1, columns.length));
    // What says how words are tinted keeps its room where none is: nothing moves with the slider.
    this.legend?.classList.toggle("unseen", !columns.some((column) => column.different?.length));
    columns.forEach((column, at) => {
      const sign = JSON.stringify([column, data.words]);
      const old = this.columns.children[at];
      if (old?.sign === sign) return;
      const made = this.column(column);
      made.sign = sign;
      if (!old) return this.columns.append(made);
      const does = old.contains(this.active()) ? (this.active().dataset.does ?? "self") : null;
      made.querySelector("details")?.toggleAttribute("open", old.querySelector("details")?.open ?? false);
      old.replaceWith(made);
      if (does) (does === "self" ? made : made.querySelector(`[data-does="${does}"]`))?.focus({ preventScroll: true });
    });
    while (this.columns.children.length > columns.length) this.columns.lastElementChild.remove();
    this.keepRoom();
    this.highlight();
  }

  // A page that gets lower under shorter answers is pushed down at its end, and with it the slider under the thumb: while
  // the same is read in the same width, the answers keep the room of the longest ones.
  keepRoom() {
    const of = `${this.placeId} ${this.root.clientWidth} ${Boolean(this.data.pair)}`;
    if (this.tallest.of !== of) this.tallest = { of, height: 0 };
    if (!this.tallest.height) this.columns.style.minHeight = "";
    this.tallest.height = Math.max(this.tallest.height, this.columns.offsetHeight);
    this.columns.style.minHeight = `${this.tallest.height}px`;
  }

  // What a press changes above the answers (the verdict, with the first star) would move them under the finger. A browser
  // holds in place what was scrolled; this holds the answers of a page at its top too, until something else is done.
  stay() {
    const page = document.querySelector("[data-testid=stMainBlockContainer]");
    const main = page?.closest(".stMain");
    if (!main) return;
    const { top } = this.root.getBoundingClientRect();
    this.staying?.disconnect();
    const staying = (this.staying = new ResizeObserver(() => {
      if (this.root.isConnected) main.scrollTop += this.root.getBoundingClientRect().top - top;
    }));
    staying.observe(page);
    const acts = ["wheel", "touchmove", "keydown", "pointerdown"];
    for (const act of acts) addEventListener(act, () => staying.disconnect(), { once: true, capture: true });
  }

  columnsShown() {
    const { data } = this;
    const column = this.temperatures[this.temperature]?.column;
    return this.across.slice(data.first, data.first + this.fit).map((model) => {
      const place = `${model.row}_${column}`;
      const asked = `${place}_${model.repeat ?? data.repeat}`;
      const id = data.beside || this.cells[asked] ? asked : (this.repeatsOf(place)[0] ?? asked);
      const number = data.beside ? `${data.words.answer} ${model.repeat + 1}` : id === asked ? "" : `${Number(id.split("_")[2]) + 1}/${data.repeats}`;
      const note = [model.note, number].filter(Boolean).join(" · ");
      const leftOut = !this.cells[id] && (this.all[id]?.state ?? "missing") !== "missing";
      return { id, title: model.short, service: model.service, note, leftOut, ...(this.cells[id] ?? {}), ...(data.read[id] ?? {}), missing: !data.read[id] && !(this.pressedView && this.cells[id]?.state !== "missing") };
    });
  }

  pairBar() {
    return el("div", { class: "bar" }, el("span", { class: "legend" }, this.data.words.pair), el("button", { "data-does": "unpair", onclick: () => this.tell({ what: "unpair" }) }, this.data.words.close));
  }

  readBar() {
    const { data } = this;
    const { words } = data;
    const last = Math.min(data.first + this.fit, this.across.length);
    const step = (by, does, sign) =>
      el("button", { "data-does": does, "aria-label": words[does], title: words[does], disabled: by < 0 ? data.first === 0 : last >= this.across.length, onclick: () => this.page(by) }, sign);
    const models = el("span", { class: "group" }, step(-1, "back", "‹"), el("span", {}, `${words.models} ${data.first + 1 < last ? `${data.first + 1}–${last}` : last} / ${this.across.length}`), step(1, "forward", "›"));
    const named = el("output", {}, "");
    const say = () => (named.textContent = this.temperatures[this.temperature]?.name ?? "");
    const slider = el("input", { type: "range", "data-does": "scrub", min: 0, max: this.temperatures.length - 1, step: 1, "aria-label": words.temperature, value: this.temperature });
    slider.value = this.temperature;
    slider.addEventListener("input", () => {
      this.temperature = Number(slider.value);
      [lastRead.place, lastRead.column] = [this.placeId, this.temperatures[this.temperature].column];
      slider.setAttribute("aria-valuetext", this.temperatures[this.temperature].name);
      say();
      this.drawRead();
    });
    slider.setAttribute("aria-valuetext", this.temperatures[this.temperature]?.name ?? "");
    this.slider = slider;
    say();
    const scrubber = el("label", { class: "group scrubber" }, words.temperature, el("span", { class: "track" }, slider, this.scale(slider)), named);
    const repeats = data.repeats > 1 && !data.beside && el("button", { "data-does": "repeat", title: words.next, "aria-label": `${words.answer} ${data.repeat + 1}/${data.repeats} ${words.next}`, onclick: () => this.go({ repeat: (data.repeat + 1) % data.repeats }) }, `${words.answer} ${data.repeat + 1}/${data.repeats} ›`);
    this.legend = el("span", { class: "legend" }, words.tinted);
    return el("div", { class: "bar" }, this.across.length > this.fit ? models : "", this.temperatures.length > 1 ? scrubber : "", repeats || "", this.temperatures.length > 1 ? this.legend : "");
  }

  // The temperatures below the slider, as many as have room; a press on one turns to it.
  scale(slider) {
    const last = this.temperatures.length - 1;
    const every = Math.ceil(this.temperatures.length / 10);
    const mark = ({ name }, at) => {
      const turn = () => {
        slider.value = at;
        slider.dispatchEvent(new Event("input"));
      };
      return at % every ? "" : el("span", { style: `--at: ${at / last}`, onclick: turn }, name);
    };
    return el("span", { class: "scale", "aria-hidden": "true" }, ...this.temperatures.map(mark));
  }

  column(column) {
    const { words } = this.data;
    const star = (count) =>
      el("button", { role: "radio", "data-does": `star-${count}`, class: count <= (column.stars ?? 0) ? "on" : "", "aria-checked": String(column.stars === count), "aria-label": `${count} ${words.stars}`, onclick: () => this.rate(column.id, column.stars === count ? 0 : count) }, count <= (column.stars ?? 0) ? "★" : "☆");
    const stars = el("span", { role: "radiogroup", "aria-label": words.stars, class: "stars" }, ...[1, 2, 3, 4, 5].map(star));
    const title = el("h3", {}, this.copy(column), column.title, column.service && el("small", {}, column.service), column.note ? el("small", {}, column.note) : "");
    const attributes = { class: `column is-${column.state ?? "missing"}`, tabindex: "0", "data-cell": column.id, "aria-label": this.data.pair ? column.title : this.spoken(column.id) };
    const all = () => el("button", { "data-does": "all", onclick: () => this.tell({ what: "all" }) }, words.all);
    if (column.leftOut) return el("section", attributes, title, el("p", { class: "note" }, words.left_out), el("div", { class: "tools" }, all()));
    if (column.missing) return el("section", attributes, title, el("p", { class: "note" }, words.nothing));
    const text = el("div", { class: "text", html: column.html });
    // Their room is there before the answer has ended: what stands beside them does not move then.
    stars.classList.toggle("unseen", !column.rated);
    const detail = el("button", { "data-does": "detail", onclick: () => this.tell({ what: "detail", cell: column.id }) }, words.detail);
    const stop = column.state === "running" ? el("button", { "data-does": "stop", onclick: () => this.tell({ what: "stop", cell: column.id }) }, words.stop) : "";
    const thinking = column.thinking ? el("details", {}, el("summary", { "data-does": "thinking" }, words.thinking), el("div", { class: "text thought", html: column.thinking })) : "";
    const pick = words.pick && el("button", { "data-does": "pick", onclick: () => this.tell({ what: "pick", cell: column.id }) }, column.picked ? words.picked : words.pick);
    const alike = column.alike && el("button", { "data-does": "alike", onclick: () => this.tell({ what: "alike", cell: column.id }) }, column.alike);
    const tools = el("div", { class: "tools" }, stars, detail, pick, stop, alike);
    const made = el("section", attributes, title, tools, el("header", {}, ...this.labels(column), el("span", { class: "figures" }, column.figures)), el("div", { class: "body" }, thinking, text, ...this.said(column)));
    text.different = column.different;
    return made;
  }

  // In the line of the title, which has room for it: nothing gets a further line for it. Of an answer that is still being
  // written the text is not there to the letter, and where a page is no secure one no script may copy.
  copy({ text }) {
    if (!text || !navigator.clipboard) return "";
    const { words } = this.data;
    const button = el("button", { "data-does": "copy", class: "copy", "aria-label": words.copy, title: words.copy });
    button.addEventListener("click", async () => {
      const copied = await navigator.clipboard.writeText(text).then(() => true, () => false); // a browser may refuse to
      if (!copied) return;
      button.classList.add("done");
      button.ariaLabel = button.title = words.copied;
    });
    return button;
  }

  pressedInRead(event) {
    if (event.target.type === "range" || event.target.closest("summary")) return;
    const last = this.temperatures.length - 1;
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (this.data.pair) return;
    if (event.key === "ArrowLeft") this.page(-1);
    else if (event.key === "ArrowRight") this.page(1);
    else if (by && event.target.closest(".column")) {
      this.temperature = Math.max(0, Math.min(last, this.temperature + by));
      if (this.slider) {
        this.slider.value = this.temperature;
        this.slider.dispatchEvent(new Event("input"));
      }
    } else return;
    event.preventDefault();
  }

  page(by) {
    const { data } = this;
    const most = Math.max(0, this.across.length - this.fit);
    const first = Math.max(0, Math.min(most, data.first + by * this.fit));
    if (first !== data.first) this.go({ first });
  }

  go(change) {
    const { data } = this;
    this.tell({ what: "go", first: data.first, repeat: data.repeat, column: this.temperatures[this.temperature]?.column ?? 0, ...change });
  }

  // Words that were searched for, and those that differ, are tinted over the text without touching it.

  highlight() {
    if (!globalThis.CSS?.highlights) return;
    const different = [];
    for (const text of this.root.querySelectorAll(".body > .text")) if (text.different) different.push(...ranges(text, text.different));
    const found = [];
    const term = this.data.find.toLowerCase();
    if (term) for (const text of this.root.querySelectorAll("article .text, .body > .text")) found.push(...ranges(text, places(text, term)));
    CSS.highlights.set("sweep-different", new Highlight(...different));
    CSS.highlights.set("sweep-found", new Highlight(...found));
  }
}

// Where `term` stands in the text of an element: begin, end, begin, end, in UTF-16 units.
function places(element, term) {
  const text = element.textContent.toLowerCase();
  const found = [];
  for (let at = text.indexOf(term); at >= 0 && found.length < 1000; at = text.indexOf(term, at + term.length)) found.push(at, at + term.length);
  return found;
}

// Begin, end, begin, end in the text of an element as ranges over its text nodes.
function ranges(element, pairs) {
  const made = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let node = walker.nextNode();
  let start = 0;
  for (let at = 0; at < pairs.length; at += 2) {
    const [begin, end] = [pairs[at], pairs[at + 1]];
    const range = new Range();
    while (node && start + node.length <= begin) {
      start += node.length;
      node = walker.nextNode();
    }
    if (!node) break;
    range.setStart(node, begin - start);
    while (node && start + node.length < end) {
      start += node.length;
      node = walker.nextNode();
    }
    if (!node) break;
    range.setEnd(node, end - start);
    made.push(range);
  }
  return made;
}
