// All units of a layer as one picture: only what is in view is painted, and its weights are asked for only then.
import { url } from "./api.js";
import { color, onTheme } from "./colors.js";
import { byTest, count, element, isReducedMotion } from "./dom.js";
import { FULL, largest, paintCells, plain } from "./network_pictures.js";
import { isSame, layerName, unitName } from "./network_place.js";

const CELL = 54; // CSS pixels from unit to unit
const PICTURE = 42;
const CHUNK = 64; // units that are asked for at once

export class EveryUnit {
  /**
   * @param {HTMLElement} root
   * @param {{onPin: (place: object) => void}} events
   */
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.scroll = root.querySelector("[data-part=every-scroll]");
    this.height = root.querySelector("[data-part=every-height]");
    this.label = root.querySelector("[data-part=every-unit]");
    this.note = root.querySelector("[data-part=every-note]");
    this.canvas = byTest("weight-images", root);
    this.order = byTest("order", root);
    this.layer = 0;
    this.current = 0; // the place in the order that the keyboard is at
    this.pinned = null;
    this.values = [];
    this.pictures = new Map(); // unit to its picture, a canvas
    this.asked = new Set();
    this.scroll.addEventListener("scroll", () => this.#later());
    this.scroll.addEventListener("keydown", (event) => this.#key(event));
    this.scroll.addEventListener("focus", () => this.#later());
    this.scroll.addEventListener("blur", () => this.#later());
    this.canvas.addEventListener("pointermove", (event) => this.#say(this.#at(event)));
    this.canvas.addEventListener("click", (event) => this.#pick(this.#at(event)));
    this.order.addEventListener("change", () => this.#sort());
    new ResizeObserver(() => this.facts && this.#resize()).observe(this.scroll);
    this.isInView = false; // what nobody sees is not painted
    const seen = ([entry]) => {
      this.isInView = entry.isIntersecting;
      this.#later();
    };
    new IntersectionObserver(seen, { rootMargin: "120px" }).observe(this.scroll);
    onTheme(() => {
      this.colors = Object.fromEntries(["positive", "negative", "accent", "sunken"].map((name) => [name, color(name)]));
      this.pictures.clear();
      this.asked.clear();
      this.#later();
    });
  }

  build(facts) {
    this.facts = facts;
    this.answer = null;
    const names = facts.activations.map((_, layer) => layer);
    this.root.querySelector("[data-part=every-layers]").replaceChildren(
      ...names.map((layer) =>
        element("button", {
          type: "button",
          "aria-pressed": "false",
          data: { testid: `every-${layer}` },
          text: layerName(layer, facts.sizes),
          on: { click: () => this.show(layer) },
        }),
      ),
    );
    this.show(0);
  }

  /** Shows a layer; brings it into view if that is wished. */
  show(layer, isWished = false) {
    this.layer = layer;
    this.current = 0;
    this.pictures.clear();
    this.asked.clear();
    this.units = Array.from({ length: this.facts.sizes[layer + 1] }, (_, unit) => unit);
    for (const [index, button] of [...this.root.querySelectorAll("[data-part=every-layers] button")].entries()) {
      button.setAttribute("aria-pressed", String(index === layer));
    }
    const { sizes } = this.facts;
    this.scroll.setAttribute("aria-label", `Units of: ${layerName(layer, sizes)}`);
    this.values = this.answer?.activations[layer] ?? [];
    this.#resize();
    this.hint = `${count(sizes[layer + 1])} pictures, each of the ${count(sizes[layer])} weights into a unit${layer > 0 ? ", a cell for each unit of the layer before" : ""}. The bar below it is its activation.`;
    this.note.textContent = this.hint;
    this.scroll.scrollTop = 0;
    this.label.textContent = this.#words(this.units[0]);
    this.#sort();
    if (isWished) {
      this.root.scrollIntoView({ block: "start", behavior: isReducedMotion() ? "auto" : "smooth" });
      this.scroll.focus({ preventScroll: true });
    }
  }

  live(answer) {
    if (answer.activations.length !== this.facts.activations.length) return;
    this.answer = answer;
    this.values = answer.activations[this.layer];
    this.#later();
  }

  pin(place) {
    this.pinned = place;
    this.#later();
  }

  #sort() {
    this.units.sort((a, b) => a - b);
    if (this.order.value === "activation" && this.values.length)
      this.units.sort((a, b) => this.values[b] - this.values[a]);
    this.#later();
  }

  /** Makes room for all units, painted or not. */
  #resize() {
    this.height.style.height = `${Math.ceil(this.units.length / this.#columns()) * CELL}px`;
    this.#later();
  }

  #columns() {
    return Math.max(1, Math.floor(this.scroll.clientWidth / CELL));
  }

  #later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.facts && this.isInView) this.#paint();
    });
  }

  #paint() {
    const { canvas, scroll } = this;
    const columns = this.#columns();
    const width = columns * CELL;
    const view = Math.min(scroll.clientHeight, Math.ceil(this.units.length / columns) * CELL);
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(view * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(view * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${view}px`;
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, view);
    context.imageSmoothingEnabled = false;
    const { colors } = this;
    const most = Math.max(largest(this.values), 1e-9);
    const first = Math.floor(scroll.scrollTop / CELL) * columns;
    const last = Math.min(this.units.length, (Math.floor((scroll.scrollTop + view) / CELL) + 1) * columns);
    const missing = [];
    for (let place = first; place < last; place++) {
      const unit = this.units[place];
      const x = (place % columns) * CELL + (CELL - PICTURE) / 2;
      const y = Math.floor(place / columns) * CELL - scroll.scrollTop + 3;
      const picture = this.pictures.get(unit);
      const value = this.values[unit] ?? 0;
      const share = Math.abs(value) / most;
      context.globalAlpha = 0.5 + 0.5 * Math.sqrt(share);
      if (picture) context.drawImage(picture, x, y, PICTURE, PICTURE);
      else missing.push(unit);
      context.globalAlpha = 1;
      context.fillStyle = colors.sunken;
      context.fillRect(x, y + PICTURE + 2, PICTURE, 3);
      context.fillStyle = value < 0 ? colors.negative : colors.positive;
      context.fillRect(x, y + PICTURE + 2, PICTURE * share, 3);
      const isHere = document.activeElement === scroll && place === this.current;
      if (isHere || isSame(this.pinned, { layer: this.layer, unit })) {
        context.strokeStyle = colors.accent;
        context.lineWidth = 2;
        context.setLineDash(isHere ? [4, 3] : []);
        context.strokeRect(x - 2, y - 2, PICTURE + 4, PICTURE + 9);
        context.setLineDash([]);
      }
    }
    this.#fetch(missing);
  }

  async #fetch(units) {
    const wanted = units.filter((unit) => !this.asked.has(unit)).slice(0, CHUNK);
    if (wanted.length === 0 || this.isFetching) return;
    this.isFetching = true;
    const { layer, facts } = this;
    for (const unit of wanted) this.asked.add(unit);
    try {
      const response = await fetch(
        url(`api/network/weights?model=${encodeURIComponent(facts.model)}&layer=${layer}&units=${wanted.join(",")}`),
      );
      if (!response.ok) return;
      const bytes = new Int8Array(await response.arrayBuffer());
      if (layer !== this.layer || facts !== this.facts) return;
      const inputs = facts.sizes[layer];
      wanted.forEach((unit, row) =>
        this.pictures.set(unit, pictureOf(bytes.subarray(row * (inputs + 4) + 4, (row + 1) * (inputs + 4)))),
      );
    } catch {
      // the pictures stay away until they are in view again
    } finally {
      this.isFetching = false;
      this.#later();
    }
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    const columns = this.#columns();
    const column = Math.floor((event.clientX - box.left) / CELL);
    const row = Math.floor((event.clientY - box.top + this.scroll.scrollTop) / CELL);
    const place = row * columns + column;
    return column >= 0 && column < columns && place >= 0 && place < this.units.length ? place : null;
  }

  #say(place) {
    this.canvas.classList.toggle("on-unit", place !== null);
    if (place === null) return;
    this.note.textContent = this.#words(this.units[place]);
  }

  #words(unit) {
    return `${unitName({ layer: this.layer, unit }, this.facts.sizes)}: activation ${plain(this.values[unit] ?? 0)}`;
  }

  #pick(place) {
    if (place === null) return;
    this.current = place;
    this.#tell();
    this.events.onPin({ layer: this.layer, unit: this.units[place] });
  }

  #tell() {
    const unit = this.units[this.current];
    this.label.textContent = `${this.#words(unit)}. Enter takes it apart.`;
    this.note.textContent = this.#words(unit);
  }

  #key(event) {
    const columns = this.#columns();
    const page = columns * Math.max(1, Math.floor(this.scroll.clientHeight / CELL));
    const steps = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
      PageUp: -page,
      PageDown: page,
      Home: -Infinity,
      End: Infinity,
    };
    if (event.key === "Enter" || event.key === " ") this.#pick(this.current);
    else if (event.key in steps) {
      this.current = Math.max(0, Math.min(this.units.length - 1, this.current + steps[event.key]));
      const top = Math.floor(this.current / columns) * CELL;
      if (top < this.scroll.scrollTop) this.scroll.scrollTop = top;
      else if (top + CELL > this.scroll.scrollTop + this.scroll.clientHeight)
        this.scroll.scrollTop = top + CELL - this.scroll.clientHeight;
      this.#tell();
      this.#later();
    } else return;
    event.preventDefault();
  }
}

function pictureOf(weights) {
  const canvas = document.createElement("canvas");
  paintCells(canvas, weights, FULL);
  return canvas;
}
