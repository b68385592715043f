// The two charts of a run: losses of epochs over those of batches, and accuracies.
import { Chart } from "./chart.js";
import { percent } from "./dom.js";
import { loss } from "./run_words.js";

/** What the axes say. */
export const short = (value) =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(3)));
export const shortPercent = (value) => `${Number((100 * value).toFixed(2))} %`;

/** Points are shown as long as they are few. */
const ifFew = (plot, i) => plot.data[i].reduce((sum, value) => sum + (value !== null), 0) <= FEW;

const positive = (value) => (value > 0 ? value : null);
const asItIs = (value) => value ?? null;

const FEW = 25;

/** Epochs are whole. */
export const EPOCH_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];

/** One epoch at least, so that a training that has just begun is not a point. */
export const xRange = (low, high) => [Math.min(low ?? 0, 0), Math.max(high ?? 1, 1)];

/** Charts of templates/digitnet/run.html. */
export class RunCharts {
  /** @param {(name: string) => HTMLElement} part */
  constructor(part) {
    this.isLogarithmic = false;
    this.lossPlace = part("loss-chart");
    this.accuracyPlace = part("accuracy-chart");
    this.button = part("logarithmic");
    this.model = null;
    const lossSeries = [
      { name: "batch", color: "faint", width: 1 },
      { name: "training", color: "series-1", points: ifFew },
      { name: "validation", color: "series-2", dash: [8, 4], points: ifFew },
    ];
    this.loss = new Chart(this.lossPlace, {
      x: "epoch",
      y: loss,
      tick: short,
      series: lossSeries,
      xRange,
      xSteps: EPOCH_STEPS,
    });
    const accuracySeries = lossSeries.slice(1);
    this.accuracy = new Chart(this.accuracyPlace, {
      x: "epoch",
      y: percent,
      tick: shortPercent,
      series: accuracySeries,
      xRange,
      xSteps: EPOCH_STEPS,
    });
    this.button.addEventListener("click", () => {
      this.isLogarithmic = !this.isLogarithmic;
      this.button.setAttribute("aria-pressed", String(this.isLogarithmic));
      this.loss.configure({ isLogarithmic: this.isLogarithmic });
      if (this.model !== null) this.show(this.model);
    });
  }

  /** @param {import("./run_model.js").RunModel} model */
  show(model) {
    this.model = model;
    const epochs = [...model.epochs.values()].sort((a, b) => a.epoch - b.epoch);
    const clean = this.isLogarithmic ? positive : asItIs;
    this.loss.set(together(model.batches, epochs, clean));
    const numbers = epochs.map((epoch) => epoch.epoch);
    this.accuracy.set([
      numbers,
      epochs.map((epoch) => epoch.training_accuracy),
      epochs.map((epoch) => epoch.validation_accuracy),
    ]);
    const last = epochs.at(-1);
    if (last === undefined) return;
    const losses = `training ${loss(last.training_loss)}, validation ${loss(last.validation_loss)}`;
    this.lossPlace.setAttribute("aria-label", `Loss by epoch. After epoch ${last.epoch}: ${losses}`);
    const accuracies = `training ${percent(last.training_accuracy)}, validation ${percent(last.validation_accuracy)}`;
    this.accuracyPlace.setAttribute("aria-label", `Accuracy by epoch. After epoch ${last.epoch}: ${accuracies}`);
  }
}

/** Batches and epochs over one x: [x, losses of batches, of training, of validation]; null where there is none. */
function together(batches, epochs, clean) {
  const columns = [[], [], [], []];
  const put = (...values) => values.forEach((value, i) => columns[i].push(value));
  let next = 0;
  for (const epoch of epochs) {
    for (; next < batches.at.length && batches.at[next] < epoch.epoch; next++)
      put(batches.at[next], clean(batches.loss[next]), null, null);
    const isHere = next < batches.at.length && batches.at[next] === epoch.epoch;
    put(
      epoch.epoch,
      isHere ? clean(batches.loss[next++]) : null,
      clean(epoch.training_loss),
      clean(epoch.validation_loss),
    );
  }
  for (; next < batches.at.length; next++) put(batches.at[next], clean(batches.loss[next]), null, null);
  return columns;
}
