// The list of trainings: a row for each, kept while its numbers change.
import { url } from "./api.js";
import { count, element, percent } from "./dom.js";
import { left, place, showState } from "./run_words.js";
import { drawSpark, makeSpark } from "./spark.js";

const SHOWN = 50; // rows, until all are asked for

/** One training. */
class Row {
  constructor(run, { onChoose, onRemove, onStop }) {
    const id = `choose-${run.id}`;
    this.run = run;
    this.box = element("input", {
      type: "checkbox",
      id,
      "aria-label": `Compare ${run.name}`,
      data: { testid: `choose-${run.id}` },
    });
    this.state = element("span", { class: "tag", data: { testid: `state-${run.id}` } });
    this.what = element("span", { class: "soft small what" });
    this.spark = makeSpark();
    this.best = element("span", { class: "number best" });
    this.bar = element("progress", { max: "1", "aria-label": `Progress of ${run.name}` });
    this.place = element("span", { class: "small soft" });
    this.left = element("span", { class: "small soft" });
    this.problem = element("span", { class: "small problem" });
    this.stop = element("button", {
      type: "button",
      class: "quiet icon",
      "aria-label": `Take ${run.name} back`,
      title: "Take back",
      text: "✕",
      data: { testid: `take-back-${run.id}` },
      on: { click: () => onStop(this.run) },
    });
    this.remove = element("button", {
      type: "button",
      class: "quiet icon",
      "aria-label": `Remove ${run.name}`,
      title: "Remove",
      text: "✕",
      data: { testid: `remove-${run.id}` },
      on: { click: () => onRemove(this.run) },
    });
    this.box.addEventListener("change", () => onChoose(run.id, this.box.checked));
    const link = element("a", {
      href: url(`training/${encodeURIComponent(run.id)}/`),
      text: run.name,
      class: "name",
      data: { testid: `run-${run.id}` },
    });
    this.element = element(
      "li",
      { class: "run card", data: { run: run.id } },
      element("div", { class: "choose" }, this.box),
      element(
        "div",
        { class: "title" },
        element("div", { class: "row names" }, link, this.state),
        this.what,
        this.problem,
      ),
      this.spark,
      element("div", { class: "result" }, this.best, element("span", { class: "soft small", text: "best validation" })),
      element("div", { class: "progress" }, this.bar, element("div", { class: "row spread" }, this.place, this.left)),
      element("div", { class: "actions" }, this.stop, this.remove),
    );
  }

  show(run, isChosen) {
    this.run = run;
    this.box.checked = isChosen;
    this.box.disabled = run.state === "broken" || run.state === "queued";
    showState(this.state, run.state);
    const layers = run.settings?.layers;
    const parts = [
      run.dataset,
      layers === undefined ? null : layers === "none" ? "no hidden layer" : layers.replaceAll(", ", " – "),
      run.optimizer,
    ];
    set(this.what, parts.filter(Boolean).join(" · "));
    this.what.title = run.parameters ? `${count(run.parameters)} parameters` : "";
    set(this.problem, run.error ?? "");
    drawSpark(this.spark, run.spark ?? []);
    set(this.best, percent(run.best_validation_accuracy));
    this.bar.value = run.share ?? 0;
    set(this.place, place(run));
    set(this.left, left(run.seconds_left));
    this.stop.hidden = run.state !== "queued";
    this.remove.hidden = ["queued", "starting", "running"].includes(run.state);
  }
}

const set = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/** The rows of all trainings, in the order of the server. */
export class RunList {
  /** @param {HTMLUListElement} place */
  constructor(place, handlers) {
    this.place = place;
    this.handlers = handlers;
    this.rows = new Map();
    this.isWhole = false;
  }

  /**
   * @param {object[]} runs  as GET /api/runs gives them
   * @param {Set<string>} chosen  ids of those that are compared
   * @returns {number} how many are not shown
   */
  show(runs, chosen) {
    const shown = this.isWhole ? runs : runs.slice(0, SHOWN);
    const ids = new Set(shown.map((run) => run.id));
    for (const [id, row] of this.rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.rows.delete(id);
    }
    shown.forEach((run, i) => {
      let row = this.rows.get(run.id);
      if (row === undefined) {
        row = new Row(run, this.handlers);
        this.rows.set(run.id, row);
      }
      row.show(run, chosen.has(run.id));
      if (this.place.children[i] !== row.element) this.place.insertBefore(row.element, this.place.children[i] ?? null);
    });
    return runs.length - shown.length;
  }
}
