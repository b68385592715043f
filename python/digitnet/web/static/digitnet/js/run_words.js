// What the pages of trainings say in words.
import { count, duration } from "./dom.js";

const STATES = {
  queued: ["waiting", ""],
  starting: ["starting", "running"],
  running: ["running", "running"],
  paused: ["paused", "warn"],
  stopped: ["stopped", "warn"],
  done: ["done", "good"],
  early_stop: ["stopped early", "good"],
  loss_reached: ["loss reached", "good"],
  diverged: ["diverged", "bad"],
  failed: ["failed", "bad"],
  broken: ["broken", "bad"],
};

/** Whether there may be more to come by itself. */
export const isLive = (state) => state === "queued" || state === "starting" || state === "running";

/** Writes a state into a tag. */
export function showState(tag, state) {
  const [words, kind] = STATES[state] ?? [state, ""];
  if (tag.textContent !== words) tag.textContent = words;
  tag.className = `tag ${kind}`;
  tag.dataset.state = state;
}

/** A loss as "0.1234", small ones in three digits: "0.00133", "3.20e-5". */
export function loss(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size === 0 || size >= 0.01) return value.toFixed(4);
  return size >= 0.001 ? value.toPrecision(3) : value.toExponential(2);
}

/** A learning rate or norm in three digits: "0.00294", "1.2e-7". */
export function small(value) {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  return Math.abs(value) < 1e-4 || Math.abs(value) >= 1e5
    ? value.toExponential(2)
    : String(Number(value.toPrecision(3)));
}

/** "epoch 3 of 10, batch 120 of 422", or where a run stands that is not at work. */
export function place(run) {
  if (run.state === "queued") return run.position === 1 ? "next in the queue" : `number ${run.position} in the queue`;
  if (run.state === "broken") return "cannot be read";
  const epochs = run.epochs ?? "?";
  const { batch } = run;
  if (run.state === "running" && batch)
    return `epoch ${batch.epoch} of ${epochs}, batch ${count(batch.batch)} of ${count(batch.batches)}`;
  return `${run.epoch ?? 0} of ${epochs} epochs`;
}

/** "about 12 s left"; nothing if that is not known. */
export const left = (seconds) => (seconds === null || seconds === undefined ? "" : `about ${duration(seconds)} left`);

/** Settings as a person would name them. */
export const settingName = (name) => name.replaceAll("_", " ");

/** A setting's value. */
export function settingValue(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (value === true) return "yes";
  if (value === false) return "no";
  return String(value);
}
