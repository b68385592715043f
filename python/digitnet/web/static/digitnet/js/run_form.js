// The form of a new training: what may be chosen, what it will cost, and the server's reasons beside the fields.
import { ApiError, ask } from "./api.js";
import { count, element } from "./dom.js";

const INPUTS = 784;
const CLASSES = 10;
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

const STARTING = 1.5; // seconds to the first batch: a process, and its data

/**
 * Units of the hidden layers in a text such as "128, 64"; null if it is none, or there are more than is taken.
 * @returns {number[]|null}
 */
function layersOf(text, most) {
  const words = text.trim();
  if (words === "" || words === "none") return [];
  const layers = words.split(",").map((word) => (/^\s*\d+\s*$/.test(word) ? Number(word) : Number.NaN));
  const isTaken = layers.length <= most.layers && layers.every((units) => units >= 1 && units <= most.units);
  return isTaken && parametersOf(layers) <= most.parameters ? layers : null;
}

/** How many weights and biases a network with such hidden layers has. */
function parametersOf(layers) {
  const sizes = [INPUTS, ...layers, CLASSES];
  return sizes.slice(1).reduce((sum, outputs, i) => sum + (sizes[i] + 1) * outputs, 0);
}

/**
 * What an image costs in a training, to compare with others, as it was measured: what its pixels cost whatever the
 * network is as much as 50 000 parameters, and a step of the optimizer as much as 40 images.
 */
const workOf = (parameters, batchSize) => (parameters + 50_000) * (1 + 40 / batchSize);

/** Seconds as "4 s", "12 min" or "3 h": an estimate knows no more. */
function rough(seconds) {
  const [size, unit] = seconds < 90 ? [1, "s"] : seconds < 5400 ? [60, "min"] : [3600, "h"];
  return `${count(seconds / size)} ${unit}`;
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
    this.samples = {}; // of each data set that is here
    this.past = []; // trainings that were seen: what an image was to cost, and how many a second there were
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

  /** Says which data sets are not here, as the page Data does. */
  offerSets(sets) {
    for (const { id, name, missing, parts } of sets) {
      this.samples[id] = parts.train;
      const option = [...this.form.elements.dataset.options].find((each) => each.value === id);
      if (missing) option.textContent = `${name} (${id === "personal" ? "empty" : "not here yet"})`;
    }
    this.#hint();
  }

  /** What trainings so far tell about the speed of this machine. */
  learnFrom(runs) {
    this.past = runs
      .filter((run) => run.images_per_second > 0 && run.settings?.batch_size > 0)
      .map(({ parameters, images_per_second: speed, settings }) => ({
        work: workOf(parameters, settings.batch_size),
        speed,
        augmentation: settings.augmentation ?? "none",
      }));
    this.#hint();
  }

  #hint() {
    if (this.choices === null) return;
    const { elements } = this.form;
    const layers = layersOf(elements.layers.value, this.choices.most);
    const parameters = layers === null ? null : parametersOf(layers);
    const words =
      parameters === null
        ? "Such as 128, or 256, 64 for two layers."
        : `${count(parameters)} weights and biases to learn.`;
    if (elements.layers.getAttribute("aria-invalid") !== "true") this.part("parameters").textContent = words;
    elements.learning_rate.placeholder = this.choices.optimizers[elements.optimizer.value];
    elements.warmup.placeholder = this.choices.schedules[elements.schedule.value];
    elements.weight_decay.placeholder = elements.optimizer.value === "adamw" ? "0.05" : "0";
    this.part("estimate").textContent = this.#estimate(parameters) || "\u00a0";
  }

  /** By the training most like this one, of the same augmentation; nothing for what will be refused. */
  #estimate(parameters) {
    const { most, defaults } = this.choices;
    const { elements } = this.form;
    const text = (name) => elements[name].value.trim() || String(defaults[name]);
    const whole = (name) => (/^\d+$/.test(text(name)) && Number(text(name)) <= most[name] ? Number(text(name)) : 0);
    const samples = this.samples[elements.dataset.value];
    const [epochs, batchSize, validation] = [whole("epochs"), whole("batch_size"), Number(text("validation"))];
    const isTaken = parameters !== null && epochs && batchSize && validation >= 0 && validation <= most.validation;
    const past = this.past.filter((run) => run.augmentation === elements.augmentation.value);
    if (!isTaken || !samples || past.length === 0) return "";
    const work = workOf(parameters, batchSize);
    const far = (run) => Math.abs(Math.log(run.work / work));
    const nearest = past.reduce((best, run) => (far(run) < far(best) ? run : best));
    const images = samples * (1 - validation) * epochs;
    const seconds = STARTING + (images * work) / (nearest.work * nearest.speed);
    return `About ${rough(seconds)} on this machine, by what it did before.`;
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
