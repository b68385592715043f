// Thousands of small images in one place that scrolls. Only the rows in sight are painted, all onto one canvas.
import { color, onTheme, paletteOf } from "./colors.js";
import { element } from "./dom.js";

const SIDE = 28; // pixels of an image
const LEAST_WIDTH = 68; // of a cell, on the screen, where classes are called by a digit
const LEAST_WIDTH_NAMED = 124; // where they have names
const HEIGHT = 84;
const SHOWN = 56; // of an image: two by two for each pixel
let made = 0;

/** The 256 shades of ink, as the words of an ImageData. */
function inkTable() {
  const { ground, above } = paletteOf("ink");
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let ink = 0; ink < 256; ink++) {
    for (let channel = 0; channel < 3; channel++) bytes[4 * ink + channel] = ground[channel] + ((above[channel] - ground[channel]) * ink) / 255;
    bytes[4 * ink + 3] = 255;
  }
  return new Uint32Array(bytes.buffer);
}

/**
 * A list of images to look through with mouse, finger or keys. For a screen reader it is a listbox with one option, the
 * image where one is.
 */
export class ImageGrid {
  /**
   * @param {HTMLElement} place  of class "thumbs"
   * @param {{label: string, describe: (index: number) => string, note: (index: number) => [string, boolean],
   *          onOpen: (index: number) => void, onMove?: (text: string) => void, empty?: string}} options
   *        describe: an image in words; note: what stands below it, and whether that is a mistake; empty: what is said if there are none
   */
  constructor(place, options) {
    this.place = place;
    this.options = options;
    this.samples = null;
    this.indices = [];
    this.at = 0; // where the keyboard is, in indices
    this.hovered = -1;
    this.canvas = element("canvas", { class: "thumbs-canvas", "aria-hidden": "true" });
    this.space = element("div", { class: "thumbs-space", "aria-hidden": "true" });
    this.option = element("div", { class: "thumbs-option", role: "option", id: `thumb-${++made}`, "aria-selected": "true" });
    this.scroll = element(
      "div",
      { class: "thumbs-scroll", role: "listbox", tabindex: "0", "aria-label": options.label, "aria-activedescendant": this.option.id },
      this.space,
      this.option,
    );
    this.empty = element("p", { class: "thumbs-empty soft", text: options.empty ?? "No image is like that.", hidden: true });
    place.replaceChildren(this.canvas, this.scroll, this.empty);
    this.atlas = document.createElement("canvas");
    this.repaint = () => this.#later();
    onTheme(() => {
      this.shades = inkTable();
      this.look = Object.fromEntries(["text-soft", "bad", "accent", "line", "sunken", "sans"].map((name) => [name, color(name)]));
      this.repaint();
    });
    new ResizeObserver(() => this.#layout()).observe(place);
    this.scroll.addEventListener("scroll", this.repaint, { passive: true });
    this.scroll.addEventListener("keydown", (event) => this.#key(event));
    this.scroll.addEventListener("pointermove", (event) => this.#hover(this.#under(event)));
    this.scroll.addEventListener("pointerleave", () => this.#hover(-1));
    this.scroll.addEventListener("focus", () => this.#go(this.at));
    this.scroll.addEventListener("blur", this.repaint);
    this.scroll.addEventListener("click", (event) => {
      const at = this.#under(event);
      if (at < 0) return;
      this.#go(at);
      this.options.onOpen(this.indices[at]);
    });
  }

  /** Shows these images of a set, from the first; says so if there are none, unless they are still waited for. */
  set(samples, indices, { isWaiting = false } = {}) {
    if (this.samples !== samples) {
      this.samples?.removeEventListener("sheet", this.repaint);
      samples?.addEventListener("sheet", this.repaint);
      this.samples = samples;
    }
    this.indices = indices;
    this.at = 0;
    this.hovered = -1;
    this.empty.hidden = indices.length > 0 || isWaiting;
    this.scroll.hidden = indices.length === 0;
    this.scroll.scrollTop = 0;
    this.#layout();
    this.#tell();
  }

  /** The image before or after another in the list, or null. */
  neighbour(index, step) {
    const at = this.indices.indexOf(index);
    const next = this.indices[at + step];
    if (at < 0 || next === undefined) return null;
    this.#go(at + step);
    return next;
  }

  focus() {
    this.scroll.focus({ preventScroll: true });
  }

  #layout() {
    const width = this.scroll.hidden ? this.place.clientWidth : this.scroll.clientWidth;
    const isNamed = this.samples?.classes.some((name) => name.length > 2);
    this.columns = Math.max(1, Math.floor(width / (isNamed ? LEAST_WIDTH_NAMED : LEAST_WIDTH)));
    this.width = width / this.columns;
    this.space.style.height = `${Math.ceil(this.indices.length / this.columns) * HEIGHT}px`;
    this.repaint();
  }

  #later() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.#paint();
    });
  }

  #paint() {
    const { canvas, columns } = this;
    const [width, height] = [this.place.clientWidth, this.place.clientHeight];
    const ratio = devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    if (this.samples === null || this.indices.length === 0 || height === 0) return;
    const top = this.scroll.scrollTop;
    const first = Math.floor(top / HEIGHT);
    const rows = Math.ceil((top + height) / HEIGHT) - first;
    const start = first * columns;
    const end = Math.min(this.indices.length, start + rows * columns);
    const isThere = this.#fill(start, end, rows);
    const { look } = this;
    context.font = `12px ${look.sans}`;
    context.textAlign = "center";
    context.imageSmoothingEnabled = false;
    for (let at = start; at < end; at++) {
      const column = at % columns;
      const x = column * this.width + (this.width - SHOWN) / 2;
      const y = Math.floor(at / columns) * HEIGHT - top + 4;
      if (isThere[at - start]) {
        context.drawImage(this.atlas, column * SIDE, (Math.floor(at / columns) - first) * SIDE, SIDE, SIDE, x, y, SHOWN, SHOWN);
      } else {
        context.fillStyle = look.sunken;
        context.fillRect(x, y, SHOWN, SHOWN);
      }
      const [note, isBad] = this.options.note(this.indices[at]);
      const isHere = at === this.hovered || (at === this.at && document.activeElement === this.scroll);
      context.lineWidth = isHere ? 3 : 1;
      context.strokeStyle = isHere ? look.accent : look.line;
      context.strokeRect(x - 0.5, y - 0.5, SHOWN + 1, SHOWN + 1);
      context.fillStyle = isBad ? look.bad : look["text-soft"];
      context.fillText(note, x + SHOWN / 2, y + SHOWN + 15, this.width - 4);
    }
  }

  /** Paints the images in sight, a pixel each, side by side; tells which were there. */
  #fill(start, end, rows) {
    const width = this.columns * SIDE;
    if (this.atlas.width !== width || this.atlas.height !== rows * SIDE) {
      this.atlas.width = width;
      this.atlas.height = rows * SIDE;
      this.picture = new ImageData(width, rows * SIDE);
    }
    const words = new Uint32Array(this.picture.data.buffer);
    const isThere = [];
    for (let at = start; at < end; at++) {
      const image = this.samples.image(this.indices[at]);
      isThere.push(image !== null);
      if (image === null) continue;
      let to = Math.floor((at - start) / this.columns) * SIDE * width + (at % this.columns) * SIDE;
      for (let from = 0; from < image.length; from += SIDE, to += width) {
        for (let x = 0; x < SIDE; x++) words[to + x] = this.shades[image[from + x]];
      }
    }
    this.atlas.getContext("2d").putImageData(this.picture, 0, 0);
    return isThere;
  }

  /** Where in the list a pointer is; -1 where there is none. */
  #under(event) {
    const box = this.scroll.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.width);
    const row = Math.floor((event.clientY - box.top + this.scroll.scrollTop) / HEIGHT);
    const at = row * this.columns + column;
    return column >= 0 && column < this.columns && at < this.indices.length ? at : -1;
  }

  #hover(at) {
    if (at === this.hovered) return;
    this.hovered = at;
    this.options.onMove?.(at < 0 ? "" : this.options.describe(this.indices[at]));
    this.repaint();
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.place.clientHeight / HEIGHT)) * this.columns;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns, PageUp: -page, PageDown: page };
    const last = this.indices.length - 1;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (steps[event.key] !== undefined) this.#go(Math.max(0, Math.min(last, this.at + steps[event.key])));
    else if (event.key === "Home") this.#go(0);
    else if (event.key === "End") this.#go(last);
    else if (event.key === "Enter" || event.key === " ") this.options.onOpen(this.indices[this.at]);
    else return;
    event.preventDefault();
  }

  #go(at) {
    if (this.indices.length === 0) return;
    this.at = at;
    const y = Math.floor(at / this.columns) * HEIGHT;
    const { scrollTop, clientHeight } = this.scroll;
    if (y < scrollTop) this.scroll.scrollTop = y;
    else if (y + HEIGHT > scrollTop + clientHeight) this.scroll.scrollTop = y + HEIGHT - clientHeight;
    this.#tell();
    this.options.onMove?.(this.options.describe(this.indices[at]));
    this.repaint();
  }

  #tell() {
    if (this.indices.length === 0) return;
    this.option.textContent = this.options.describe(this.indices[this.at]);
    this.option.setAttribute("aria-posinset", this.at + 1);
    this.option.setAttribute("aria-setsize", this.indices.length);
  }
}
