// Two pictures of how far a model's confidence can be trusted: the reliability diagram, and accuracy against coverage.
import { count, element, percent, svg } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [520, 310, 86, 52, 12, 34];
const across = (share) => LEFT + share * (WIDTH - LEFT - RIGHT);
const up = (share) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
const LEAST_STEP = 500; // tenths of a percent: where the coverage curve begins on its chart
const xOf = (step) => across((step - LEAST_STEP) / (1000 - LEAST_STEP));
const FEW = 20; // images of a bin: fewer say little

/** Axes with their words; a tick is its place in [0, 1] and its text. */
function axes(label, { xTicks, yTicks, xText, yText }) {
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
  for (const [place, text] of yTicks) {
    picture.append(svg("line", { class: "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: up(place), y2: up(place) }));
    picture.append(svg("text", { x: LEFT - 8, y: up(place) + 4, "text-anchor": "end", text }));
  }
  for (const [place, text] of xTicks) picture.append(svg("text", { x: across(place), y: HEIGHT - BOTTOM + 22, "text-anchor": "middle", text }));
  picture.append(svg("text", { class: "name", x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle", text: xText }));
  picture.append(svg("text", { class: "name", x: 16, y: (TOP + HEIGHT - BOTTOM) / 2, "text-anchor": "middle", transform: `rotate(-90 16 ${(TOP + HEIGHT - BOTTOM) / 2})`, text: yText }));
  return picture;
}

const FIFTHS = [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => [share, `${Math.round(100 * share)} %`]);

/**
 * Bars of accuracy over confidence.
 * @param {HTMLElement} place
 * @param {HTMLTableElement} table  the same in numbers
 * @param {{lower: number, upper: number, samples: number, confidence: number, accuracy: number}[]} bins
 */
export function showReliability(place, table, bins) {
  const picture = axes("Share read correctly, by confidence; the table below has the numbers", {
    xTicks: FIFTHS,
    yTicks: FIFTHS,
    xText: "how sure it was",
    yText: "how often it was right",
  });
  const full = bins.filter((bin) => bin.samples > 0);
  for (const bin of full) {
    const [x, width] = [across(bin.lower) + 1.5, across(bin.upper) - across(bin.lower) - 3];
    const title = `${percent(bin.lower, 0)} to ${percent(bin.upper, 0)} sure: ${count(bin.samples)} images, ${percent(bin.accuracy, 1)} right`;
    const bar = svg("rect", { class: bin.samples < FEW ? "bar pale" : "bar", x, width, y: up(bin.accuracy), height: Math.max(1, up(0) - up(bin.accuracy)), rx: 2 });
    bar.append(svg("title", { text: title }));
    picture.append(bar);
  }
  for (const kind of ["ideal-ground", "ideal"]) picture.append(svg("line", { class: kind, x1: across(0), y1: up(0), x2: across(1), y2: up(1) }));
  place.replaceChildren(picture);
  const cell = (text) => element("td", { class: "number", text });
  const names = ["Sure", "Images", "On average", "Right"].map((text, i) => element("th", { scope: "col", class: i ? "number" : "", text }));
  table.replaceChildren(
    element("thead", {}, element("tr", {}, ...names)),
    element(
      "tbody",
      {},
      ...full.map((bin) =>
        element(
          "tr",
          {},
          element("th", { scope: "row", text: `${percent(bin.lower, 0)} to ${percent(bin.upper, 0)}` }),
          cell(count(bin.samples)),
          cell(percent(bin.confidence, 1)),
          cell(percent(bin.accuracy, 1)),
        ),
      ),
    ),
  );
}

/** Accuracy of the surest, over the share that is answered; a slider chooses one. */
export class Coverage {
  /** @param {{place: HTMLElement, slider: HTMLInputElement, share: HTMLElement, answer: HTMLElement, counts: HTMLElement}} parts */
  constructor(parts) {
    this.parts = parts;
    this.curve = null;
    parts.slider.addEventListener("input", () => this.#show());
  }

  /**
   * @param {number[]|null} curve  accuracy of the surest 0.1 %, 0.2 %, ... 100 %
   * @param {number} samples
   */
  set(curve, samples) {
    this.curve = curve;
    this.samples = samples;
    if (curve === null) return;
    const quarter = quarterOf(1 - Math.min(...curve.slice(LEAST_STEP - 1)));
    const low = 1 - 4 * quarter;
    this.y = (accuracy) => up((accuracy - low) / (1 - low));
    const digits = quarter < 0.001 ? 2 : quarter < 0.01 ? 1 : 0;
    const picture = axes("Share of right answers, over the share that is answered", {
      xTicks: FIFTHS.map(([place]) => [place, percent(0.5 + place / 2, 0)]),
      yTicks: [0, 0.25, 0.5, 0.75, 1].map((share) => [share, percent(low + share * (1 - low), digits)]),
      xText: "share that is answered",
      yText: "share that is right",
    });
    const points = curve.slice(LEAST_STEP - 1).map((accuracy, i) => `${xOf(LEAST_STEP + i).toFixed(1)},${this.y(accuracy).toFixed(1)}`);
    this.rule = svg("line", { class: "chosen-rule", y1: up(1), y2: up(0) });
    this.dot = svg("circle", { class: "chosen", r: 6 });
    picture.append(svg("polyline", { class: "curve", points: points.join(" ") }), this.rule, this.dot);
    this.parts.place.replaceChildren(picture);
    this.#show();
  }

  #show() {
    const { slider, share, answer, counts } = this.parts;
    const step = Number(slider.value);
    share.textContent = percent(step / 1000, 1);
    slider.setAttribute("aria-valuetext", share.textContent);
    if (this.curve === null) return;
    const accuracy = this.curve[step - 1];
    const answered = Math.ceil((step * this.samples) / 1000);
    const wrong = Math.round((1 - accuracy) * answered);
    answer.textContent = `Answer the surest ${percent(step / 1000, 1)}: ${percent(accuracy)} right`;
    counts.textContent = `${count(answered)} answered, ${count(wrong)} of them wrong; ${count(this.samples - answered)} left to a person.`;
    for (const [name, value] of [["x1", xOf(step)], ["x2", xOf(step)]]) this.rule.setAttribute(name, value);
    this.dot.setAttribute("cx", xOf(step));
    this.dot.setAttribute("cy", this.y(accuracy));
  }
}

/** A quarter of an axis that reaches down from 1 by `depth` at least, as a round number. */
const quarterOf = (depth) => [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1].find((quarter) => 4 * quarter >= depth) ?? 0.25;
