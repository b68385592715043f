// The page Graph: loss, accuracy and learning rate of the training that a model comes from.
import { ask } from "./api.js";
import { Chart } from "./chart.js";
import { byTest, count, duration, element, percent } from "./dom.js";
import { listModels, modelQuery, showProblem, wantedModel } from "./model_choice.js";
import { EPOCH_STEPS, short, shortPercent, xRange } from "./run_charts.js";
import { isLive, loss, showState, small } from "./run_words.js";

const part = (name) => document.querySelector(`[data-part=${name}]`);
const series = [
  { name: "training", color: "accent", points: true },
  { name: "validation", color: "negative", dash: [8, 4], points: true },
];
const common = { x: "epoch", xRange, xSteps: EPOCH_STEPS };

let charts = null; // made when there is something to draw, or they have no width
let isLogarithmic = false;
let shown = null; // the answer on the page

function makeCharts() {
  charts = {
    loss: new Chart(byTest("loss-chart"), { ...common, y: loss, tick: short, series }),
    accuracy: new Chart(byTest("accuracy-chart"), { ...common, y: percent, tick: shortPercent, series }),
    rate: new Chart(byTest("rate-chart"), {
      ...common,
      y: small,
      tick: short,
      height: 170,
      series: [{ name: "learning rate", color: "accent", points: true }],
    }),
  };
}

function paintCharts(epochs) {
  if (charts === null) makeCharts();
  const x = epochs.map((epoch) => epoch.epoch);
  const column = (key) => epochs.map((epoch) => epoch[key] ?? null);
  const positive = (list) => (isLogarithmic ? list.map((value) => (value > 0 ? value : null)) : list);
  charts.loss.set([x, positive(column("training_loss")), positive(column("validation_loss"))]);
  charts.accuracy.set([x, column("training_accuracy"), column("validation_accuracy")]);
  charts.rate.set([x, column("learning_rate")]);
  const last = epochs.at(-1);
  byTest("loss-chart").setAttribute(
    "aria-label",
    `Loss by epoch. After epoch ${last.epoch}: training ${loss(last.training_loss)}, validation ${loss(last.validation_loss)}`,
  );
  byTest("accuracy-chart").setAttribute(
    "aria-label",
    `Accuracy by epoch. After epoch ${last.epoch}: training ${percent(last.training_accuracy)}, validation ${percent(last.validation_accuracy)}`,
  );
  byTest("rate-chart").setAttribute(
    "aria-label",
    `Learning rate by epoch. After epoch ${last.epoch}: ${small(last.learning_rate)}`,
  );
}

function paintTable(epochs, best) {
  const names = [
    "Epoch",
    "Training loss",
    "Validation loss",
    "Training accuracy",
    "Validation accuracy",
    "Learning rate",
    "Time",
  ];
  const cell = (text) => element("td", { class: "number", text });
  byTest("epochs-table").replaceChildren(
    element(
      "thead",
      {},
      element("tr", {}, ...names.map((name) => element("th", { scope: "col", class: "number", text: name }))),
    ),
    element(
      "tbody",
      {},
      ...epochs.map((epoch) =>
        element(
          "tr",
          {},
          element("th", {
            scope: "row",
            class: "number",
            text: `${epoch.epoch}${epoch.epoch === best ? " (best)" : ""}`,
          }),
          cell(loss(epoch.training_loss)),
          cell(loss(epoch.validation_loss)),
          cell(percent(epoch.training_accuracy)),
          cell(percent(epoch.validation_accuracy)),
          cell(small(epoch.learning_rate)),
          cell(duration(epoch.seconds)),
        ),
      ),
    ),
  );
}

function paintHeadline({ epochs, best_epoch: best, run }) {
  const kept = epochs.find((epoch) => epoch.epoch === best) ?? epochs.at(-1);
  const link = element("a", {
    href: `${document.documentElement.dataset.root}training/${encodeURIComponent(run.id)}/`,
    text: run.id,
  });
  const facts = [
    ["Training", link],
    ["Epochs", count(epochs.length)],
    ["Kept", `epoch ${kept.epoch}`],
    ["Validation loss", loss(kept.validation_loss)],
    ["Validation accuracy", percent(kept.validation_accuracy)],
  ];
  part("headline").replaceChildren(
    ...facts.map(([name, value]) => element("div", {}, element("dt", { text: name }), element("dd", {}, value))),
  );
}

function paintRuns({ runs, model }) {
  part("runs").hidden = runs.length === 0;
  const names = ["Training", "State", "Epochs", "Layers", "Optimizer", "Best validation accuracy", ""];
  byTest("runs-table").replaceChildren(
    element(
      "thead",
      {},
      element("tr", {}, ...names.map((name) => (name ? element("th", { scope: "col", text: name }) : element("td")))),
    ),
    element(
      "tbody",
      {},
      ...runs.map((run) => {
        const tag = element("span", { class: "tag" });
        showState(tag, run.state);
        const isShown = run.model !== null && run.model === model;
        const show =
          run.model &&
          element("button", {
            type: "button",
            text: "Show",
            "aria-label": `Show ${run.name}`,
            disabled: isShown,
            on: { click: () => choose(run.model) },
          });
        return element(
          "tr",
          { "aria-current": isShown ? "true" : null },
          element("th", { scope: "row", text: run.name }),
          element("td", {}, tag),
          element("td", { text: `${count(run.epoch)} of ${run.epochs === null ? "?" : count(run.epochs)}` }),
          element("td", { text: run.sizes.join("-") }),
          element("td", { text: run.optimizer }),
          element("td", { text: percent(run.best_validation_accuracy) }),
          element("td", {}, show || ""),
        );
      }),
    ),
  );
}

function paint(answer) {
  shown = answer;
  const hasHistory = answer.epochs.length > 0;
  part("history").hidden = !hasHistory;
  part("nothing").hidden = hasHistory;
  if (hasHistory) {
    paintHeadline(answer);
    paintCharts(answer.epochs);
    paintTable(answer.epochs, answer.best_epoch);
  } else {
    const rest =
      answer.runs.length > 0
        ? "Those of the trainings below have one."
        : "Start a training, and its graph will be here.";
    part("why").textContent = `This model file holds what was learned, not how: no epochs are stored in it. ${rest}`;
  }
  paintRuns(answer);
}

let again = null;

/** Follows a training that is still at work. */
function follow() {
  clearTimeout(again);
  if (!isLive(shown.run?.state)) return;
  again = setTimeout(async () => {
    const { model } = shown;
    try {
      const answer = await ask(`api/graph${modelQuery(model)}`);
      if (shown.model === model) paint(answer);
    } catch {
      // the next time, perhaps
    }
    follow();
  }, 3000);
}

async function open(model) {
  try {
    paint(await ask(`api/graph${modelQuery(model)}`));
    byTest("problem").hidden = true;
    follow();
    await listModels(byTest("model"), shown.model);
  } catch (error) {
    showProblem(byTest("problem"), error);
    await listModels(byTest("model"), null);
  }
}

function choose(model) {
  history.replaceState(null, "", `${location.pathname}${modelQuery(model)}`);
  open(model);
}

byTest("model").addEventListener("change", (event) => choose(event.target.value));
byTest("logarithmic").addEventListener("click", (event) => {
  isLogarithmic = !isLogarithmic;
  event.currentTarget.setAttribute("aria-pressed", String(isLogarithmic));
  charts.loss.configure({ isLogarithmic });
  paintCharts(shown.epochs);
});
await open(wantedModel());
