// The picture of the layers: a column for each, its units as pictures, and the lines between them.
import { onTheme, paintSquare, theme } from "./colors.js";
import { byTest, count, element, percent } from "./dom.js";
import { Paths } from "./network_paths.js";
import { FULL, bytesOf, largest, paintCells, plain } from "./network_pictures.js";
import { isSame, layerName, unitName } from "./network_place.js";
import { makeTile, placeOf } from "./network_tile.js";

/**
 * Reads out what the network does. It knows nothing of the server: paint() gets an answer of POST api/network/forward.
 */
export class Diagram {
  /**
   * @param {HTMLElement} root  the section "network"
   * @param {{onPoint: (place: object|null) => void, onPin: (place: object) => void, onMore: (layer: number) => void}} events
   */
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.flow = root.querySelector("[data-part=flow]");
    this.seen = byTest("seen", root);
    this.columns = [];
    this.answer = null;
    this.paths = new Paths(root.querySelector("[data-part=paths]"), this);
    onTheme(() => this.answer && this.paint(this.answer, this.state));
    new ResizeObserver(() => this.paths.place()).observe(this.flow);
  }

  /** Makes the columns of a network: {sizes, activations}. */
  build(facts) {
    this.facts = facts;
    this.answer = null;
    for (const column of this.columns) column.root.remove();
    const { sizes } = facts;
    this.last = sizes.length - 2;
    this.columns = facts.activations.map((name, layer) =>
      layer === this.last ? this.#outputs(layer, name) : this.#hidden(layer, name),
    );
    this.flow.append(...this.columns.map((column) => column.root));
    this.flow.dataset.layers = this.columns.length;
    this.paths.clear();
  }

  #head(layer, name) {
    const { sizes } = this.facts;
    const note = element("p", { class: "small soft number-note", text: "\u00a0" });
    const head = element(
      "header",
      { class: "column-head" },
      element("h2", { text: layerName(layer, sizes) }),
      element("p", {
        class: "small soft",
        text: `${count(sizes[layer + 1])} ${layer === this.last ? "digits" : "units"} · ${name}`,
      }),
      note,
    );
    return { head, note };
  }

  #hidden(layer, name) {
    const { head, note } = this.#head(layer, name);
    const size = this.facts.sizes[layer + 1];
    const tiles = Array.from({ length: Math.min(10, size) }, (_, slot) => makeTile(layer, slot, this.#listeners()));
    const hidden = size - tiles.length;
    const map = element("canvas", { class: "pixels", "aria-hidden": "true" });
    const more = element(
      "button",
      {
        type: "button",
        class: "more",
        data: { testid: `more-${layer}` },
        hidden: hidden === 0,
        on: { click: () => this.events.onMore(layer) },
      },
      map,
      element("span", { class: "small", text: `+${count(hidden)} more` }),
    );
    more.setAttribute(
      "aria-label",
      `+${count(hidden)} more units: show all ${count(size)} of the ${layerName(layer, this.facts.sizes).toLowerCase()}`,
    );
    const root = element(
      "div",
      { class: "column layer", data: { testid: `activation-${layer}` } },
      head,
      element(
        "div",
        { class: "tiles", role: "group", "aria-label": layerName(layer, this.facts.sizes) },
        ...tiles.map((tile) => tile.root),
      ),
      more,
    );
    return { root, note, tiles, more, map, most: 0, isOutput: false };
  }

  #outputs(layer, name) {
    const { head, note } = this.#head(layer, name);
    const tiles = Array.from({ length: this.facts.sizes.at(-1) }, (_, unit) =>
      makeTile(layer, unit, this.#listeners(), { isOutput: true }),
    );
    for (const tile of tiles) tile.root.dataset.testid = `bar-${tile.unit}`;
    this.prediction = element("output", { class: "prediction", data: { testid: "prediction" } });
    this.status = element("p", { class: "small soft", data: { testid: "status" }, role: "status" });
    const root = element(
      "div",
      { class: "column outputs", data: { testid: `activation-${layer}` } },
      head,
      element("div", { class: "tiles", role: "group", "aria-label": "Outputs" }, ...tiles.map((tile) => tile.root)),
      element("div", { class: "reading" }, this.prediction, this.status),
    );
    return { root, note, tiles, most: 0, isOutput: true };
  }

  #listeners() {
    const { onPoint, onPin } = this.events;
    return { onPoint, onPin, onKey: (event, tile) => this.#key(event, tile) };
  }

  /** Arrows go from unit to unit: along a layer, and to the one before or after. */
  #key(event, tile) {
    if (event.key === "Escape") this.events.onPoint(null);
    const isAcross = this.isAcross();
    const [before, after, previous, next] = isAcross
      ? ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]
      : ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
    const column = this.columns[tile.layer];
    const go = (where, slot) => where?.tiles[Math.max(0, Math.min(where.tiles.length - 1, slot))]?.root.focus();
    if (event.key === before) go(column, tile.slot - 1);
    else if (event.key === after) go(column, tile.slot + 1);
    else if (event.key === previous) go(this.columns[tile.layer - 1], tile.slot);
    else if (event.key === next) go(this.columns[tile.layer + 1], tile.slot);
    else return;
    event.preventDefault();
  }

  /** Whether the layers stand beside each other; on a narrow page they are below each other. */
  isAcross() {
    return getComputedStyle(this.flow).flexDirection === "row";
  }

  /** The element of a unit if it is one of those shown. */
  tile(place) {
    return this.columns[place.layer]?.tiles.find((tile) => isSame(tile, place))?.root ?? null;
  }

  /**
   * @param {object} answer  of POST api/network/forward
   * @param {{shown: number[][], sum: object|null, changes: Map, pinned: object|null, pointed: object|null}} state
   */
  paint(answer, state) {
    this.answer = answer;
    this.state = state;
    this.columns.forEach((column, layer) =>
      column.isOutput ? this.#paintOutputs(column, layer) : this.#paintHidden(column, layer),
    );
    this.paths.paint(answer, state.pointed ?? state.pinned);
    this.#paintSeen();
    this.#paintReading();
    this.pin(state.pinned);
  }

  #paintHidden(column, layer) {
    const { answer, state } = this;
    const values = answer.activations[layer];
    column.most = Math.max(largest(values), 1e-9);
    column.note.textContent = liveliness(this.facts.activations[layer], values);
    const index = new Map(answer.shown[layer].map((unit, place) => [unit, place]));
    column.tiles.forEach((tile, slot) => {
      const unit = state.shown[layer][slot];
      tile.unit = unit;
      const value = values[unit];
      const share = Math.min(1, Math.abs(value) / column.most);
      const picture = answer.pictures[layer][index.get(unit)];
      const key = `${unit}-${theme()}`; // the weights into a unit of the first layer are always the same
      if (picture && (layer > 0 || tile.painted !== key)) paintCells(tile.picture, bytesOf(picture.data), FULL);
      if (picture) tile.painted = key;
      const scale = state.changes.get(`${layer}-${unit}`) ?? 1;
      tile.bar.style.width = `${100 * share}%`;
      tile.root.classList.toggle("below", value < 0);
      tile.root.classList.toggle("changed", scale !== 1);
      tile.picture.style.opacity = (0.3 + 0.7 * Math.sqrt(share)).toFixed(3);
      tile.root.dataset.unit = unit;
      tile.root.dataset.value = value;
      tile.root.setAttribute(
        "aria-label",
        `${unitName(tile, this.facts.sizes)}: activation ${plain(value)}${scale === 1 ? "" : `, taken times ${scale}`}`,
      );
    });
    if (column.more.hidden) return;
    const sum = state.sum;
    if (sum?.layer === layer + 1) paintCells(column.map, bytesOf(sum.products.data), FULL);
    else paintCells(column.map, values, column.most);
    column.more.classList.toggle("products", sum?.layer === layer + 1);
  }

  #paintOutputs(column, layer) {
    const { answer } = this;
    answer.pictures[layer].forEach((picture, unit) => {
      const tile = column.tiles[unit];
      const share = answer.probabilities?.[unit] ?? null;
      const before = answer.original?.probabilities?.[unit] ?? null;
      paintCells(tile.picture, bytesOf(picture.data), FULL);
      tile.bar.style.width = `${100 * (share ?? 0)}%`;
      tile.ghost.style.left = `${100 * (before ?? 0)}%`;
      tile.ghost.hidden = before === null;
      tile.share.textContent = share === null ? "–" : percent(share, 1);
      tile.root.classList.toggle("likeliest", share !== null && unit === answer.output);
      tile.root.dataset.value = answer.activations[layer][unit];
      tile.root.setAttribute(
        "aria-label",
        `Output ${unit}: ${share === null ? "nothing is drawn" : percent(share, 1)}`,
      );
    });
  }

  #paintSeen() {
    const { answer, state } = this;
    const note = this.root.querySelector("[data-part=seen-note]");
    if (state.sum?.layer === 0) {
      paintCells(this.seen, bytesOf(state.sum.products.data), FULL);
      note.textContent = `Ink × weight of ${this.last === 0 ? "output" : "unit"} ${state.sum.unit}`;
      return;
    }
    paintSquare(this.seen, answer.image, "ink");
    note.textContent = "What the network sees: 784 inputs";
  }

  #paintReading() {
    const { answer } = this;
    const words = {
      empty: "Empty: nothing is drawn yet.",
      unsure: "Unsure",
      not_a_digit: "Not a digit",
      digit: "A digit",
    };
    this.prediction.textContent = answer.digit ?? "";
    const before = answer.original;
    let text = words[answer.status];
    if (answer.status === "unsure" || answer.status === "digit")
      text += `: ${percent(answer.probabilities[answer.output], 1)}`;
    if (before && (before.digit !== answer.digit || before.status !== answer.status)) {
      text += `. Without changes: ${before.digit ?? words[before.status].toLowerCase()}`;
    }
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /** Marks the unit that is taken apart. */
  pin(place) {
    for (const { tiles } of this.columns) {
      for (const tile of tiles) tile.root.setAttribute("aria-pressed", String(isSame(placeOf(tile), place)));
    }
  }

  /** Shows the lines of a unit alone; null shows all again. */
  point(place) {
    if (this.answer !== null) this.paths.paint(this.answer, place);
  }
}

/** How lively a layer is, in a few words. */
function liveliness(name, values) {
  if (name === "sigmoid" || name === "softplus")
    return `mean ${plain(values.reduce((sum, value) => sum + value, 0) / values.length)}`;
  const above = count(values.filter((value) => value > 0).length);
  return name === "relu" ? `${above} active` : `${above} above 0`;
}
