// What was read for what: a table of 10 x 10 whose cells are coloured by their share of the row.
import { count, element, percent } from "./dom.js";

const DIGITS = [...Array(10).keys()];

/** A table that changes in place: only cells whose number is another are touched. */
export class Confusion {
  constructor(table) {
    const head = element("tr", {}, element("td", {}), ...DIGITS.map((digit) => element("th", { scope: "col", text: digit })));
    this.cells = [];
    const rows = DIGITS.map((label) => {
      const cells = DIGITS.map((read) => element("td", { class: label === read ? "is-right" : "is-wrong" }));
      this.cells.push(...cells);
      return element("tr", {}, element("th", { scope: "row", text: label }), ...cells);
    });
    this.caption = element("caption", { class: "visually-hidden" });
    table.replaceChildren(this.caption, element("thead", {}, head), element("tbody", {}, ...rows));
    this.shown = new Array(100).fill(-1);
  }

  /** @param {object|null} answer  of the server; null while it is on its way */
  show(answer, label) {
    const matrix = answer?.matrix ?? null;
    this.caption.textContent = `What was read (columns) for what (rows) ${label}`;
    for (let row = 0; row < 10; row++) {
      const total = matrix === null ? 0 : matrix[row].reduce((sum, value) => sum + value, 0);
      for (let column = 0; column < 10; column++) {
        const at = 10 * row + column;
        const value = matrix === null ? 0 : (matrix[row][column] ?? 0);
        if (this.shown[at] === value) continue;
        this.shown[at] = value;
        const share = total > 0 ? value / total : 0;
        this.cells[at].textContent = value > 0 ? count(value) : "";
        // Of mistakes the root, so that a few of them are seen.
        this.cells[at].style.setProperty("--share", (row === column ? share : Math.sqrt(share)).toFixed(3));
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
  const of = answer.of === "validation" ? "set aside for validation" : `of the test set of ${NAMES[answer.dataset] ?? answer.dataset}`;
  return `${percent(answer.accuracy)} of ${images} ${of} are read right.`;
}
