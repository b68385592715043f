// What one image becomes when it is changed at random, as trainings do it.
import { ask } from "./api.js";
import { onTheme, paintSquare } from "./colors.js";
import { bytesOf } from "./data_set.js";
import { byTest, element, throttle } from "./dom.js";

const COPIES = 24;
const PIXELS = 784;
const KNOBS = [
  // name, in words, largest, step, unit
  ["rotation", "Rotation", 45, 0.5, "°"],
  ["scale", "Size", 0.5, 0.01, "×"],
  ["aspect", "Width over height", 0.5, 0.01, "×"],
  ["shear", "Slant", 0.6, 0.01, ""],
  ["shift", "Shift", 6, 0.25, "px"],
  ["elastic", "Elastic", 80, 1, ""],
  ["thickness", "Thickness", 1.5, 0.05, "px"],
];

export class Augmentation {
  /**
   * @param {HTMLElement} section
   * @param {() => string} model  the id of the one that reads, or ""
   */
  constructor(section, model) {
    this.section = section;
    this.model = model;
    this.samples = null;
    this.part = (name) => section.querySelector(`[data-part="${name}"]`);
    this.subject = byTest("augment-image", section);
    this.named = byTest("augment-name", section);
    this.seed = byTest("augment-seed", section);
    this.copies = Array.from({ length: COPIES }, () => element("canvas", { class: "pixels", width: 28, height: 28, role: "img", "aria-label": "A changed image" }));
    this.marks = this.copies.map((canvas) => element("div", { class: "copy" }, canvas, element("span", { class: "small", text: "\u00a0" })));
    byTest("augmented", section).replaceChildren(...this.marks);
    this.sliders = Object.fromEntries(KNOBS.map((knob) => [knob[0], this.#slider(...knob)]));
    const ask = throttle(() => this.refresh(), 120);
    this.part("knobs").addEventListener("input", (event) => {
      if (event.target === this.named) this.#take(this.named.value);
      else if (event.target.type === "range") this.#mark();
      ask();
    });
    this.part("knobs").addEventListener("submit", (event) => event.preventDefault());
    byTest("augment-again", section).addEventListener("click", () => {
      this.seed.value = (Number(this.seed.value) + 1) % 2 ** 31;
      ask();
    });
    onTheme(() => this.#paint());
  }

  /** The named augmentations: {light: {rotation, ...}, ...}. */
  setNames(augmentations) {
    this.names = augmentations;
    const options = Object.keys(augmentations).map((name) => element("option", { value: name, text: name[0].toUpperCase() + name.slice(1) }));
    this.named.replaceChildren(...options, element("option", { value: "own", text: "Your own", hidden: true }));
    this.named.value = "standard";
    this.#take("standard");
    this.refresh();
  }

  setSamples(samples) {
    this.samples = samples;
    this.subject.max = samples.count - 1;
    if (Number(this.subject.value) >= samples.count) this.subject.value = 0;
    this.refresh();
  }

  setImage(index) {
    this.subject.value = index;
    this.refresh();
  }

  #slider(name, words, most, step, unit) {
    const output = element("output", { class: "number", for: `knob-${name}` });
    const input = element("input", { type: "range", id: `knob-${name}`, min: 0, max: most, step, value: 0, data: { testid: `knob-${name}` }, autocomplete: "off" });
    const show = () => {
      output.textContent = unit === "×" ? `÷ or × ${(1 + Number(input.value)).toFixed(2)}` : `± ${input.value}${unit === "°" ? unit : unit && ` ${unit}`}`;
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.addEventListener("input", show);
    this.part("sliders").append(element("div", { class: "field" }, element("label", { for: `knob-${name}` }, element("span", { text: words }), output), input));
    return { input, show };
  }

  /** Turns the sliders to the numbers of a named augmentation. */
  #take(name) {
    for (const [knob, { input, show }] of Object.entries(this.sliders)) {
      input.value = this.names?.[name]?.[knob] ?? input.value;
      show();
    }
  }

  /** The name that the sliders stand for, else "your own". */
  #mark() {
    const is = (name) => Object.entries(this.sliders).every(([knob, { input }]) => Math.abs(Number(input.value) - this.names[name][knob]) < Number(input.step) / 2);
    this.named.value = Object.keys(this.names ?? {}).find(is) ?? "own";
  }

  /** Asks for the images as they are set, and shows them. */
  async refresh() {
    if (this.samples === null || !this.names || !this.part("knobs").checkValidity()) return;
    this.going?.abort();
    const { signal } = (this.going = new AbortController());
    const query = new URLSearchParams({ name: this.named.value === "own" ? "standard" : this.named.value, seed: this.seed.value, copies: COPIES });
    if (this.named.value === "own") for (const [knob, { input }] of Object.entries(this.sliders)) query.set(knob, input.value);
    if (this.model()) query.set("model", this.model());
    const index = Number(this.subject.value);
    const { samples } = this;
    try {
      const [answer, original] = await Promise.all([
        ask(`${samples.path}/${index}/augmented?${query}`, { signal }),
        ask(`${samples.path}/${index}`, { signal }),
      ]);
      this.shown = { images: bytesOf(answer.images), predicted: answer.predicted, original: original.image, label: samples.labels[index], classes: samples.classes };
      this.#paint();
    } catch (error) {
      if (error.name !== "AbortError") byTest("augment-reading", this.section).textContent = error.message;
    }
  }

  #paint() {
    if (!this.shown) return;
    const { images, predicted, original, label, classes } = this.shown;
    paintSquare(this.part("original"), original);
    this.copies.forEach((canvas, i) => {
      paintSquare(canvas, images.subarray(i * PIXELS, (i + 1) * PIXELS));
      const isRight = predicted[i] === label;
      this.marks[i].classList.toggle("wrong", !isRight);
      this.marks[i].lastChild.textContent = isRight ? classes[label] : `→ ${classes[predicted[i]]}`;
      canvas.setAttribute("aria-label", `A changed ${classes[label]}, read as ${classes[predicted[i]]}`);
    });
    const right = predicted.filter((each) => each === label).length;
    byTest("augment-reading", this.section).textContent = `${right} of ${COPIES} are still read as ${classes[label]}.`;
  }
}
