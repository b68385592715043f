// One image, large: its label, what the model makes of it, and where to go on with it.
import { ask, url } from "./api.js";
import { onTheme, paintSquare } from "./colors.js";
import { strokesOf } from "./data_trace.js";
import { byTest, element, percent, toast } from "./dom.js";
import { keepDrawing } from "./drawing.js";

const WORDS = { unsure: "it says it is unsure", not_a_digit: "it says this is no digit", empty: "it says there is nothing" };

/** The dialog. */
export class Detail {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {{model: () => string, onAugment: (index: number) => void}} options
   */
  constructor(dialog, { model, onAugment }) {
    this.dialog = dialog;
    this.model = model;
    this.part = (name) => dialog.querySelector(`[data-part="${name}"]`);
    this.bars = Array.from({ length: 10 }, () => {
      const fill = element("span", { class: "fill" });
      const name = element("span", { class: "bar-name" });
      const value = element("span", { class: "number bar-value" });
      return { row: element("div", { class: "bar-row" }, name, element("span", { class: "track" }, fill), value), name, fill, value };
    });
    byTest("detail-bars", dialog).replaceChildren(...this.bars.map(({ row }) => row));
    this.part("close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    this.part("previous").addEventListener("click", () => this.#step(-1));
    this.part("next").addEventListener("click", () => this.#step(1));
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") this.#step(-1);
      else if (event.key === "ArrowRight") this.#step(1);
    });
    this.part("to-draw").addEventListener("click", () => this.#go(""));
    this.part("to-network").addEventListener("click", () => this.#go("network/"));
    this.part("to-augment").addEventListener("click", () => {
      dialog.close();
      onAugment(this.index);
    });
    onTheme(() => this.pixels && paintSquare(this.part("large"), this.pixels));
  }

  /** Opens an image of a set; arrows lead through the list of the grid. */
  async open(samples, index, grid) {
    Object.assign(this, { samples, index, grid });
    if (!this.dialog.open) this.dialog.showModal();
    const label = samples.classes[samples.labels[index]];
    this.dialog.querySelector("h2").textContent = `Image ${index}`;
    byTest("detail-label", this.dialog).textContent = label;
    const model = this.model();
    try {
      const answer = await ask(`${samples.path}/${index}${model ? `?model=${encodeURIComponent(model)}` : ""}`);
      if (this.index === index && this.samples === samples) this.#show(answer);
    } catch (error) {
      toast(error.message, "bad");
    }
  }

  #show({ image, predicted, status, probabilities, label }) {
    const { classes } = this.samples;
    this.pixels = image;
    paintSquare(this.part("large"), image);
    this.part("large").setAttribute("aria-label", `Image ${this.index}: ${classes[label]}`);
    const read = byTest("detail-read", this.dialog);
    const words = WORDS[status] ? `; ${WORDS[status]}` : "";
    read.textContent = predicted === null ? "nothing" : `${classes[predicted]}, ${percent(probabilities[predicted], 1)} sure${words}`;
    read.classList.toggle("wrong", predicted !== label);
    this.bars.forEach(({ row, name, fill, value }, digit) => {
      const share = probabilities?.[digit] ?? 0;
      name.textContent = classes[digit];
      fill.style.width = `${100 * share}%`;
      value.textContent = percent(share, 1);
      row.classList.toggle("label", digit === label);
      row.classList.toggle("wrong", digit === predicted && predicted !== label);
    });
  }

  #step(step) {
    const next = this.grid?.neighbour(this.index, step) ?? null;
    if (next !== null) this.open(this.samples, next, this.grid);
  }

  #go(page) {
    if (!this.pixels) return;
    keepDrawing(strokesOf(this.pixels));
    location.assign(url(page));
  }
}
