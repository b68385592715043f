// Two models on one drawing, and on the test set: where do they differ?
import { ask } from "./api.js";
import { ImageGrid } from "./data_grid.js";
import { Readings, Samples } from "./data_set.js";
import { strokesOf } from "./data_trace.js";
import { byTest, count, element, isReducedMotion, percent, throttle, toast } from "./dom.js";
import { currentDrawing, keepDrawing } from "./drawing.js";
import { Pad } from "./pad.js";

const WORDS = { digit: "", unsure: "unsure", not_a_digit: "not a digit", empty: "nothing drawn" };
const SIDES = ["first", "second"];
const KEY = "Below each: its label, then what the first and the second read. Press one to put it on the canvas.";
const MARKED = 0.05; // a difference of probability from which a row is marked

/** The section Compare. */
export class Compare {
  constructor(section) {
    this.section = section;
    this.models = [];
    this.selects = SIDES.map((side) => byTest(`compare-${side}`, section));
    this.rows = Array.from({ length: 10 }, (_, digit) => {
      const [left, right] = SIDES.map((side) => ({ fill: element("span", { class: `fill ${side}` }), value: element("span", { class: "number" }) }));
      const row = element(
        "div",
        { class: "wing-row" },
        left.value,
        element("span", { class: "wing left" }, left.fill),
        element("span", { class: "wing-digit", text: digit }),
        element("span", { class: "wing right" }, right.fill),
        right.value,
      );
      return { row, sides: [left, right] };
    });
    byTest("compare-bars", section).replaceChildren(...this.rows.map(({ row }) => row));
    this.pad = new Pad(byTest("canvas", section));
    this.pad.open(currentDrawing());
    const read = throttle(() => this.read(), 60);
    this.pad.addEventListener("change", read);
    this.pad.addEventListener("strokeend", () => keepDrawing(this.pad.drawing));
    byTest("undo", section).addEventListener("click", () => this.pad.undo());
    byTest("clear", section).addEventListener("click", () => this.pad.clear());
    for (const select of this.selects) {
      select.addEventListener("change", () => {
        this.#forget();
        this.read();
      });
    }
    byTest("compare-all", section).addEventListener("click", () => this.#compareAll());
  }

  /** The models there are; those that are compared stay, where they still are. */
  setModels(models) {
    this.models = models;
    this.selects.forEach((select, side) => {
      const { value } = select;
      select.replaceChildren(...models.map((model) => element("option", { value: model.id, text: model.kind === "run" ? `Run ${model.name}` : model.name })));
      const active = models.find((model) => model.active) ?? models[0];
      const usual = side === 0 ? active : (models.find((model) => model !== active) ?? active);
      select.value = models.some((model) => model.id === value) ? value : (usual?.id ?? "");
    });
    this.read();
  }

  /** Puts a model on the right; the one in use, or another, stays on the left. */
  choose(id) {
    if (this.selects[0].value === id) this.selects[0].value = this.models.find((model) => model.active && model.id !== id)?.id ?? this.selects[1].value;
    this.selects[1].value = id;
    this.#forget();
    this.read();
  }

  async read() {
    if (this.models.length === 0) return;
    const call = (this.call = Symbol("the last one asked for"));
    try {
      const answers = await Promise.all(this.selects.map((select) => ask("api/recognize", { body: { ...this.pad.drawing, model: select.value } })));
      if (this.call === call) this.#show(answers);
    } catch (error) {
      if (this.call === call) byTest("compare-verdict", this.section).textContent = error.message;
    }
  }

  #show(answers) {
    answers.forEach(({ digit, status }, side) => {
      byTest(`digit-${SIDES[side]}`, this.section).textContent = digit ?? "\u00a0";
      byTest(`status-${SIDES[side]}`, this.section).textContent = WORDS[status] || "\u00a0";
    });
    this.rows.forEach(({ row, sides }, digit) => {
      const shares = answers.map(({ probabilities }) => probabilities?.[digit] ?? 0);
      sides.forEach(({ fill, value }, side) => {
        fill.style.width = `${100 * shares[side]}%`;
        value.textContent = percent(shares[side], 1);
      });
      row.classList.toggle("apart", Math.abs(shares[0] - shares[1]) >= MARKED);
    });
    byTest("compare-verdict", this.section).textContent = verdict(answers);
  }

  #forget() {
    byTest("differences", this.section).hidden = true;
    byTest("compare-counts", this.section).textContent = "\u00a0";
    this.section.querySelector("[data-part=differences-caption]").hidden = true;
  }

  /** Both on the whole test set. */
  async #compareAll() {
    const button = byTest("compare-all", this.section);
    const ids = this.selects.map((select) => select.value);
    button.disabled = true;
    byTest("compare-counts", this.section).textContent = "Reading the test set …";
    try {
      this.samples ??= await Samples.load("mnist", "test");
      const readings = await Promise.all(ids.map((id) => Readings.load(this.samples, id)));
      if (ids.every((id, side) => id === this.selects[side].value)) this.#showDifferences(readings.map(({ predicted }) => predicted));
    } catch (error) {
      byTest("compare-counts", this.section).textContent = "\u00a0";
      toast(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  }

  #showDifferences([first, second]) {
    const { labels } = this.samples;
    const found = [...labels.keys()].filter((i) => first[i] !== second[i]);
    const right = [first, second].map((predicted) => found.filter((i) => predicted[i] === labels[i]).length);
    const neither = found.length - right[0] - right[1];
    byTest("compare-counts", this.section).textContent =
      `They differ on ${count(found.length)} of ${count(labels.length)} images: the first is right on ${count(right[0])}, the second on ${count(right[1])}, neither on ${count(neither)}.`;
    const place = byTest("differences", this.section);
    const caption = this.section.querySelector("[data-part=differences-caption]");
    place.hidden = caption.hidden = found.length === 0;
    this.predicted = [first, second];
    this.grid ??= new ImageGrid(place, {
      label: "Images on which they differ",
      describe: (i) => `Image ${i}: ${labels[i]}, the first reads ${this.predicted[0][i]}, the second ${this.predicted[1][i]}`,
      note: (i) => [`${labels[i]}: ${this.predicted[0][i]} | ${this.predicted[1][i]}`, false],
      onOpen: (i) => {
        const image = this.samples.image(i);
        if (image === null) return;
        this.pad.load(strokesOf(image));
        this.section.scrollIntoView({ behavior: isReducedMotion() ? "auto" : "smooth" });
      },
      onMove: (text) => (caption.textContent = text || KEY),
    });
    caption.textContent = KEY;
    this.grid.set(this.samples, found);
  }
}

function verdict([first, second]) {
  if (first.status === "empty") return "Draw something.";
  const says = ({ digit, status }) => (digit === null ? WORDS[status] : `${digit}${status === "unsure" ? ", but unsure" : ""}`);
  const apart = first.probabilities.map((share, digit) => Math.abs(share - second.probabilities[digit]));
  const most = Math.max(...apart);
  const where = most >= MARKED ? ` They are furthest apart on ${apart.indexOf(most)}, by ${(100 * most).toFixed(1)} points.` : "";
  if (first.digit === second.digit && first.status === second.status) return `They agree: ${says(first)}.${where}`;
  return `They differ: ${says(first)}, and ${says(second)}.${where}`;
}
