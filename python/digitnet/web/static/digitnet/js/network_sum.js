// The whole sum of a unit, in words and numbers: the largest terms, the others added up, bias, z, and what becomes of it.
import { count, element, percent } from "./dom.js";
import { plain, signed } from "./network_pictures.js";
import { layerName, unitName } from "./network_place.js";

/**
 * The lines of a sum.
 * @param {object} sum  of the "units" of an answer
 * @param {{sizes: number[], temperature: number}} facts
 * @param {object} answer
 * @param {number} most  how many terms
 */
export function sumTable(sum, facts, answer, most = 6) {
  const { sizes } = facts;
  const terms = sum.terms.slice(0, most);
  const told = terms.reduce((total, term) => total + term.product, 0);
  const hidden = sum.inputs - terms.length;
  const size = Math.max(...sum.terms.map((term) => Math.abs(term.product)), 1e-9);
  const row = (name, note, value, share = null) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, name, note ? element("span", { class: "soft", text: ` ${note}` }) : ""),
      bar(value, share),
      element("td", { class: "number", text: signed(value, 3) }),
    );
  const rows = terms.map((term) =>
    row(
      inputName(term.input, sum.layer, sizes),
      `${plain(term.value)} × ${signed(term.weight)}`,
      term.product,
      Math.abs(term.product) / size,
    ),
  );
  if (hidden > 0) rows.push(row(`+${count(hidden)} more`, `${count(sum.zeros)} are 0`, sum.sum - told));
  rows.push(row("bias", "", sum.bias));
  const total = element(
    "tr",
    { class: "total" },
    element("th", { scope: "row", text: "sum z" }),
    element("td"),
    element("td", { class: "number", data: { part: "z" }, text: signed(sum.z, 3) }),
  );
  const isOutput = sum.layer === sizes.length - 2;
  const result =
    isOutput && answer.probabilities ? percent(answer.probabilities[sum.unit], 2) : plain(sum.activation, 3);
  let how = sum.function;
  if (isOutput && sum.function === "softmax" && facts.temperature !== 1)
    how = `softmax of z / ${plain(facts.temperature)}`;
  const out = element(
    "tr",
    { class: "total" },
    element("th", { scope: "row", text: isOutput ? how : `${how}(z)` }),
    element("td"),
    element("td", { class: "number", data: { part: "activation" }, text: result }),
  );
  const rest = [total, out];
  if (sum.scale !== 1)
    rest.push(
      element(
        "tr",
        { class: "total" },
        element("th", { scope: "row", text: "taken times" }),
        element("td"),
        element("td", { class: "number", text: plain(sum.scale) }),
      ),
    );
  return element("table", { class: "sum-table" }, element("tbody", {}, ...rows, ...rest));
}

function bar(value, share) {
  const cell = element("td", { class: "term-bar", "aria-hidden": "true" });
  if (share === null) return cell;
  const fill = element("span", { class: value < 0 ? "negative" : "positive" });
  fill.style.width = `${100 * share}%`;
  cell.append(fill);
  return cell;
}

function inputName(input, layer, sizes) {
  if (layer > 0) return `unit ${input}`;
  const side = Math.round(Math.sqrt(sizes[0]));
  return `row ${Math.floor(input / side)}, col ${input % side}`;
}

/** The card beside the unit that is pointed at. */
export class SumCard {
  constructor(root, frame) {
    this.root = root;
    this.frame = frame;
    this.tile = null;
    root.id = "sum-card";
    root.setAttribute("role", "tooltip");
  }

  /** Puts the card beside a unit; it appears with the next answer. null hides it. */
  move(tile) {
    this.tile?.removeAttribute("aria-describedby");
    this.tile = tile;
    this.root.hidden = true;
  }

  paint(sum, facts, answer) {
    if (sum === null || this.tile === null) {
      this.root.hidden = true;
      return;
    }
    const isPixels = sum.layer === 0;
    this.root.replaceChildren(
      element("h3", { text: unitName(sum, facts.sizes) }),
      element("p", {
        class: "small soft",
        text: isPixels
          ? "ink × weight, the strongest first"
          : `activation × weight, from the ${layerName(sum.layer - 1, facts.sizes).toLowerCase()}`,
      }),
      sumTable(sum, facts, answer),
    );
    this.root.hidden = false;
    this.tile.setAttribute("aria-describedby", this.root.id);
    this.#place();
  }

  #place() {
    const frame = this.frame.getBoundingClientRect();
    const tile = this.tile.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const isNarrow = frame.width < 700;
    let left = tile.right - frame.left + 14;
    if (left + width > frame.width - 8) left = tile.left - frame.left - width - 14;
    let top = tile.top - frame.top + tile.height / 2 - height / 2;
    if (isNarrow) {
      left = Math.max(8, (frame.width - width) / 2);
      top = tile.bottom - frame.top + 12;
    } else top = Math.max(8, Math.min(frame.height - height - 8, top));
    this.root.style.left = `${left}px`;
    this.root.style.top = `${top}px`;
  }
}
