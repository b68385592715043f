// Trainings side by side: one chart, and what is different in their settings.
import { ask } from "./api.js";
import { Chart } from "./chart.js";
import { count, duration, element, percent } from "./dom.js";
import { EPOCH_STEPS, short, shortPercent } from "./run_charts.js";
import { loss, settingName, settingValue } from "./run_words.js";

/** So many can be told apart by colour and dash. */
export const MOST = 6;
const DASHES = [undefined, [8, 4], [2, 3], [12, 4, 2, 4], [5, 5], [1, 4]];
const RESULTS = [
  ["best validation accuracy", (run) => percent(run.best_validation_accuracy)],
  ["training loss", (run) => loss(run.training_loss)],
  ["validation loss", (run) => loss(run.validation_loss)],
  ["epochs done", (run) => settingValue(run.epoch)],
  ["parameters", (run) => count(run.parameters ?? 0)],
  ["time at work", (run) => duration(run.seconds)],
];

/** The card of templates/digitnet/training.html that compares. */
export class Comparison {
  /** @param {HTMLElement} card */
  constructor(card) {
    this.card = card;
    this.part = (name) => card.querySelector(`[data-part="${name}"]`);
    this.runs = new Map(); // details by id, with the state they were fetched in
    this.chosen = [];
    this.metric = "validation_loss";
    this.isLogarithmic = false;
    this.chart = null;
    for (const button of card.querySelectorAll("[data-metric]"))
      button.addEventListener("click", () => this.#setMetric(button.dataset.metric));
    this.part("logarithmic").addEventListener("click", () => {
      this.isLogarithmic = !this.isLogarithmic;
      this.#draw(true);
    });
  }

  /**
   * Shows these trainings; those that have changed are fetched.
   * @param {object[]} runs  as GET /api/runs gives them
   */
  async show(runs) {
    const isSame = runs.map((run) => run.id).join("/") === this.chosen.map((run) => run.id).join("/");
    this.chosen = runs;
    this.card.hidden = runs.length === 0;
    const stale = runs.filter((run) => this.runs.get(run.id)?.seq !== run.seq);
    for (const id of [...this.runs.keys()]) if (!runs.some((run) => run.id === id)) this.runs.delete(id);
    await Promise.all(
      stale.map(async (run) => {
        const detail = await ask(`api/runs/${encodeURIComponent(run.id)}`).catch(() => null);
        if (detail !== null) this.runs.set(run.id, detail);
      }),
    );
    if (runs.length > 0 && this.chosen === runs && (stale.length > 0 || !isSame)) this.#draw(!isSame);
  }

  #setMetric(metric) {
    this.metric = metric;
    for (const button of this.card.querySelectorAll("[data-metric]"))
      button.setAttribute("aria-pressed", String(button.dataset.metric === metric));
    this.#draw(true);
  }

  #draw(isOther) {
    const runs = this.chosen.map((run) => this.runs.get(run.id)).filter(Boolean);
    const isAccuracy = this.metric.endsWith("accuracy");
    const isLogarithmic = this.isLogarithmic && !isAccuracy;
    this.part("logarithmic").setAttribute("aria-pressed", String(this.isLogarithmic));
    this.part("logarithmic").disabled = isAccuracy;
    const options = {
      x: "epoch",
      height: 300,
      y: isAccuracy ? percent : loss,
      tick: isAccuracy ? shortPercent : short,
      xSteps: EPOCH_STEPS,
      isLogarithmic,
      series: runs.map((run, i) => ({
        name: run.name,
        color: `series-${i + 1}`,
        dash: DASHES[i],
        points: run.history.length < 3,
      })),
    };
    if (this.chart === null) this.chart = new Chart(this.part("chart"), options);
    else if (isOther || this.chart.options.series.length !== runs.length) this.chart.configure(options);
    this.chart.set(this.#columns(runs, isLogarithmic));
    this.#tell(runs);
  }

  #columns(runs, isLogarithmic) {
    const epochs = [...new Set(runs.flatMap((run) => run.history.map((epoch) => epoch.epoch)))].sort((a, b) => a - b);
    const columns = runs.map((run) => {
      const values = new Map(run.history.map((epoch) => [epoch.epoch, epoch[this.metric]]));
      return epochs.map((epoch) => {
        const value = values.get(epoch) ?? null;
        return isLogarithmic && !(value > 0) ? null : value;
      });
    });
    return [epochs, ...columns];
  }

  #tell(runs) {
    const names = [...new Set(runs.flatMap((run) => Object.keys(run.settings)))];
    const differing = names.filter((name) => new Set(runs.map((run) => settingValue(run.settings[name]))).size > 1);
    const row = (name, values, kind) =>
      element(
        "tr",
        { class: kind },
        element("th", { scope: "row", text: name }),
        ...values.map((value) => element("td", { class: "number", text: value })),
      );
    const head = element(
      "tr",
      {},
      element("td"),
      ...runs.map((run, i) =>
        element("th", { scope: "col", class: "number" }, element("span", { class: `line series-${i + 1}` }), run.name),
      ),
    );
    const none = element(
      "tr",
      {},
      element("th", { scope: "row", text: "settings" }),
      element("td", {
        class: "soft",
        colspan: runs.length,
        text: runs.length < 2 ? "Choose another training to see what is different." : "All settings are the same.",
      }),
    );
    this.part("differences").replaceChildren(
      element("thead", {}, head),
      element(
        "tbody",
        {},
        ...(differing.length
          ? differing.map((name) =>
              row(
                settingName(name),
                runs.map((run) => settingValue(run.settings[name])),
              ),
            )
          : [none]),
        ...RESULTS.map(([name, tell], i) => row(name, runs.map(tell), i === 0 ? "first-result" : "")),
      ),
    );
  }
}
