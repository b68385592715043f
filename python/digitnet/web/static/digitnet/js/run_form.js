// The form of a new training: what may be chosen, what it will cost, and the server's reasons beside the fields.
import { ApiError, ask } from "./api.js";
import { count, duration, element } from "./dom.js";

const INPUTS = 784;
const CLASSES = 10;
const SAMPLES = { mnist: 60000, "fashion-mnist": 60000 };
const NAMES = {
  schedule: {
    constant: "constant",
    step: "in steps",
    exponential: "exponential",
    cosine: "cosine",
    "one-cycle": "one cycle",
  },
  averaging: { none: "none", ema: "moving average", swa: "mean of the last epochs" },
};
const KEPT = "digitnet-run-form";

/**
 * Units of the hidden layers in a text such as "128, 64"; null if it is none.
 * @returns {number[]|null}
 */
export function layersOf(text) {
  const words = text.trim();
  if (words === "" || words === "none") return [];
  const layers = words.split(",").map((word) => (/^\s*\d+\s*$/.test(word) ? Number(word) : Number.NaN));
  return layers.every((units) => units >= 1) ? layers : null;
}

/** How many weights and biases a network with such hidden layers has. */
export function parametersOf(layers) {
  const sizes = [INPUTS, ...layers, CLASSES];
  return sizes.slice(1).reduce((sum, outputs, i) => sum + (sizes[i] + 1) * outputs, 0);
}

/** The form of templates/digitnet/training.html. */
export class RunForm {
  /**
   * @param {HTMLFormElement} form
   * @param {{onStart: (id: string, stays: boolean) => void}} options  called when the server has taken a training
   */
  constructor(form, { onStart }) {
    this.form = form;
    this.onStart = onStart;
    this.part = (name) => form.querySelector(`[data-part="${name}"]`);
    this.choices = null;
    this.speeds = []; // of trainings that were seen: parameters * images a second
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#start(false);
    });
    this.part("queue").addEventListener("click", () => this.#start(true));
    form.addEventListener("input", (event) => {
      if (event.target.name) this.#say(event.target.name, null);
      this.#hint();
      this.#keep();
    });
    form.elements.optimizer.addEventListener("change", () => this.#hint());
  }

  /** Fills the lists of the form with what the server knows. */
  offer(choices) {
    this.choices = choices;
    const fill = (name, names) => {
      const words = NAMES[name] ?? {};
      this.form.elements[name].replaceChildren(
        ...names.map((each) =>
          element("option", { value: each, text: words[each] ?? each, selected: each === choices.defaults[name] }),
        ),
      );
    };
    fill("activation", choices.activations);
    fill("optimizer", Object.keys(choices.optimizers));
    fill("schedule", Object.keys(choices.schedules));
    fill("augmentation", choices.augmentations);
    fill("averaging", choices.averagings);
    this.#restore();
    this.#hint();
  }

  /** What trainings so far tell about the speed of this machine. */
  learnFrom(runs) {
    this.speeds = runs
      .filter((run) => run.images_per_second > 0 && run.parameters > 0)
      .slice(0, 20)
      .map((run) => ({ parameters: run.parameters, speed: run.images_per_second }));
    this.#hint();
  }

  #hint() {
    const { elements } = this.form;
    const layers = layersOf(elements.layers.value);
    const parameters = layers === null ? null : parametersOf(layers);
    const words =
      parameters === null
        ? "Such as 128, or 256, 64 for two layers."
        : `${count(parameters)} weights and biases to learn.`;
    if (elements.layers.getAttribute("aria-invalid") !== "true") this.part("parameters").textContent = words;
    if (this.choices !== null) {
      elements.learning_rate.placeholder = this.choices.optimizers[elements.optimizer.value];
      elements.warmup.placeholder = this.choices.schedules[elements.schedule.value];
      elements.weight_decay.placeholder = elements.optimizer.value === "adamw" ? "0.05" : "0";
    }
    this.part("estimate").textContent = this.#estimate(parameters) || "\u00a0";
  }

  /** By the training whose network was most like this one. */
  #estimate(parameters) {
    const { elements } = this.form;
    const samples = SAMPLES[elements.dataset.value];
    const epochs = Number(elements.epochs.value);
    const share = 1 - Number(elements.validation.value);
    if (parameters === null || !samples || !(epochs >= 1) || !(share > 0) || this.speeds.length === 0) return "";
    const far = (run) => Math.abs(Math.log(run.parameters / parameters));
    const nearest = this.speeds.reduce((best, run) => (far(run) < far(best) ? run : best));
    const seconds = (samples * share * epochs) / ((nearest.speed * nearest.parameters) / parameters);
    return `About ${duration(seconds)} on this machine, by what it did before.`;
  }

  async #start(stays) {
    const buttons = this.form.querySelectorAll("button");
    for (const field of this.#fields()) this.#say(field.name, null);
    this.part("problem").hidden = true;
    for (const button of buttons) button.disabled = true;
    try {
      const { id } = await ask("api/runs", { body: this.values() });
      this.onStart(id, stays);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#refused(error);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  /** What the form says, as texts; the server reads the numbers in them. */
  values() {
    return Object.fromEntries(
      this.#fields().map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value.trim()]),
    );
  }

  #fields() {
    return [...this.form.elements].filter((field) => field.name);
  }

  #refused(error) {
    const fields = Object.entries(error.fields ?? (error.field ? { [error.field]: error.message } : {}));
    const shown = fields.filter(([name, reason]) => this.#say(name, reason));
    if (shown.length === 0) {
      this.part("problem").textContent = error.message;
      this.part("problem").hidden = false;
      return;
    }
    const first = this.#fields().find((field) => field.getAttribute("aria-invalid") === "true");
    first.closest("details")?.setAttribute("open", "");
    first.focus();
  }

  /** Writes a reason beside a field, or takes it away. Returns whether there is such a field. */
  #say(name, reason) {
    const field = this.form.elements[name];
    if (!field?.id) return false;
    const id = `reason-${field.id}`;
    document.getElementById(id)?.remove();
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    if (reason === null) return true;
    const words = reason.replace(/^[a-z0-9 ]+: /, "");
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    field
      .closest(".field, .check")
      .append(
        element("span", { class: "reason", id, text: words, data: { testid: `reason-${name.replaceAll("_", "-")}` } }),
      );
    return true;
  }

  /** What was typed is there again after a reload of the tab. */
  #keep() {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(this.values()));
    } catch {
      // storage is switched off
    }
  }

  #restore() {
    let kept = {};
    try {
      kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    } catch {
      return;
    }
    for (const field of this.#fields()) {
      if (!(field.name in kept) || field.name === "name") continue;
      if (field.type === "checkbox") field.checked = kept[field.name] === true;
      else if (field.tagName !== "SELECT" || [...field.options].some((option) => option.value === kept[field.name]))
        field.value = kept[field.name];
    }
  }
}
