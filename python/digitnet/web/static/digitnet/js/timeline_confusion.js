// What was read for what: a table of 10 x 10 whose cells are coloured by their share of the row.
import { onTheme, rgb } from "./colors.js";
import { count, element, percent } from "./dom.js";

const DIGITS = [...Array(10).keys()];
const STEPS = 48; // colours from nothing to all; numbers are still to be read on the last
const MOST = 0.48; // of the full colour

const colors = { right: [], wrong: [] };

function mixed(end) {
  const ground = rgb("sunken");
  const full = rgb(end);
  return [...Array(STEPS + 1).keys()].map((step) => {
    const mix = ground.map((value, channel) => Math.round(value + ((full[channel] - value) * MOST * step) / STEPS));
    return `rgb(${mix.join(" ")})`;
  });
}

/** A table that changes in place: only cells whose number is another are touched. */
export class Confusion {
  constructor(table) {
    this.table = table;
    const heads = DIGITS.map((digit) => element("th", { scope: "col", text: digit }));
    const head = element("tr", {}, element("td", {}), ...heads);
    this.cells = [];
    this.texts = [];
    const rows = DIGITS.map((label) => {
      const texts = DIGITS.map(() => document.createTextNode(""));
      const cells = texts.map((text) => element("td", {}, text));
      this.texts.push(...texts);
      this.cells.push(...cells);
      return element("tr", {}, element("th", { scope: "row", text: label }), ...cells);
    });
    this.caption = element("caption", { class: "visually-hidden" });
    table.replaceChildren(this.caption, element("thead", {}, head), element("tbody", {}, ...rows));
    this.matrix = null;
    this.values = new Int32Array(100);
    this.steps = new Int32Array(100);
    onTheme(() => {
      Object.assign(colors, { right: mixed("accent"), wrong: mixed("negative") });
      this.steps.fill(-1);
      this.#fill();
    });
  }

  /** @param {object|null} answer  of the server; null while it is on its way: the one before stays, but pale */
  show(answer, label) {
    this.table.classList.toggle("is-waiting", answer === null);
    if (answer === null) return;
    this.caption.textContent = `What was read (columns) for what (rows) ${label}`;
    this.matrix = answer.matrix ?? null;
    this.#fill();
  }

  #fill() {
    for (let row = 0; row < 10; row++) {
      let total = 0;
      for (let column = 0; column < 10; column++) total += this.matrix?.[row]?.[column] ?? 0;
      for (let column = 0; column < 10; column++) {
        const at = 10 * row + column;
        const value = this.matrix?.[row]?.[column] ?? 0;
        const share = total > 0 ? value / total : 0;
        // Of mistakes the root, and twice as strong, so that a few of them are seen.
        const step = Math.round(STEPS * (row === column ? share : Math.min(1, 2 * Math.sqrt(share))));
        if (this.values[at] !== value) this.texts[at].data = value > 0 ? count(value) : "";
        const scale = row === column ? colors.right : colors.wrong;
        if (this.steps[at] !== step) this.cells[at].style.backgroundColor = scale[step];
        this.values[at] = value;
        this.steps[at] = step;
      }
    }
  }
}

const NAMES = { mnist: "MNIST", "fashion-mnist": "Fashion-MNIST", personal: "your own digits" };

/** What it was measured on, in words. */
export function confusionWords(answer) {
  if (answer === null) return "Being measured …";
  if (answer.problem) return answer.problem;
  const images = `${count(answer.samples)} images`;
  const name = NAMES[answer.dataset] ?? answer.dataset;
  const of = answer.of === "validation" ? "set aside for validation" : `of the test set of ${name}`;
  return `${percent(answer.accuracy)} of ${images} ${of} are read right.`;
}
