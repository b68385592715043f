// The page of one training: its state from the API, then what happens as it happens.
import { ask, url } from "./api.js";
import { count, duration, element, percent, toast } from "./dom.js";
import { RunEvents } from "./events.js";
import { RunCharts } from "./run_charts.js";
import { offerCopies } from "./run_copy.js";
import { showLayers } from "./run_layers.js";
import { RunModel } from "./run_model.js";
import { isLive, left, loss, place, settingName, settingValue, showState, small } from "./run_words.js";

const AWAY = 1500; // milliseconds to the next try where the server does not answer
const OVER = 3000; // to the next look at a run that is over: it may be resumed
const DRAW = 100; // between two drawings

const root = document.getElementById("run");
const runId = root.dataset.run;
const path = `api/runs/${encodeURIComponent(runId)}`;
const part = (name) => root.querySelector(`[data-part="${name}"]`);
const charts = new RunCharts(part);
let model = null;
let timer = null;
let drawing = null;
let isAsking = false; // something of the run; how it stands is asked again behind it
let standing = Promise.resolve(); // the last question about how it stands

const events = new RunEvents(runId, {
  onEvents: (list) => {
    document.dispatchEvent(new CustomEvent("digitnet-run-events", { detail: list })); // for js/timeline.js
    if (model.add(list)) look();
    draw();
  },
  onGap: look,
});

/** Asks how the run stands, and follows it from there. */
async function look() {
  clearTimeout(timer);
  events.stop();
  if (document.hidden || isAsking) return;
  try {
    standing = ask(path);
    const detail = await standing;
    if (isAsking) return;
    part("away").textContent = "";
    model = new RunModel(detail);
    draw();
    if (isLive(model.state)) events.follow(model.seq);
    else watch();
  } catch (error) {
    part("away").textContent = error.status === 0 ? "The server does not answer. It is asked again." : error.message;
    if (error.status === 404) gone();
    else timer = setTimeout(look, AWAY);
  }
}

/** Looks now and then whether a run that is over goes on. */
function watch() {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (document.hidden) return;
    standing = ask(`${path}?brief`).catch(() => null);
    const now = await standing;
    if (isAsking) return;
    if (now === null || now.state !== model.state || now.seq !== model.seq) look();
    else watch();
  }, OVER);
}

function gone() {
  for (const button of root.querySelectorAll("button")) button.disabled = true;
  part("state").textContent = "removed";
}

function draw() {
  drawing ??= setTimeout(() => {
    drawing = null;
    requestAnimationFrame(show);
  }, DRAW);
}

const set = (name, text) => {
  const node = part(name);
  if (node.textContent !== text) node.textContent = text;
};

function show() {
  const { info, last, batch, state } = model;
  showState(part("state"), state);
  set("name", info.name);
  const values = {
    training_loss: loss,
    validation_loss: loss,
    training_accuracy: percent,
    validation_accuracy: percent,
  };
  for (const [name, tell] of Object.entries(values)) set(name, tell(last?.[name]));
  const { best } = model;
  set("best", percent(best?.validation_accuracy));
  set("best-epoch", best === null ? "Best checkpoint" : `Best checkpoint, epoch ${best.epoch}`);
  set("learning_rate", small((batch ?? last)?.learning_rate ?? model.batches.rate.at(-1)));
  set("speed", model.speed ? count(model.speed) : "–");
  set("gradient_norm", small(last?.gradient_norm));
  const units = (info.sizes ?? []).slice(1, -1).reduce((sum, each) => sum + each, 0);
  const dead = last?.dead_units;
  set("dead_units", dead === null || dead === undefined ? "–" : `${count(dead)} of ${count(units)}`);
  set("seconds", duration(model.seconds));
  part("bar").value = model.share;
  set("place", place({ ...info, state, batch, epoch: model.epoch, epochs: model.planned }));
  set("left", state === "running" ? left(model.secondsLeft) : "");
  charts.show(model);
  showLayers(part("layers"), model.layers, info.sizes ?? []);
  showMessages();
  showSettings();
  showFailure();
  showControls();
}

function changeWords({ learning_rate: rate, epoch, batch }) {
  const within = batch ? `, batch ${batch + 1}` : "";
  return `Learning rate ${small(rate)} from epoch ${epoch + 1}${within} on`;
}

function showMessages() {
  const changes = model.changes.map((change) => ({ ...change, level: "info", text: changeWords(change) }));
  const all = [...model.messages, ...changes].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
  const place = part("messages");
  if (place.childElementCount === Math.max(all.length, 1) && place.dataset.count === String(all.length)) return;
  place.dataset.count = String(all.length);
  const rows = all.map((each) => {
    const time = each.time ? new Date(each.time * 1000).toLocaleTimeString("en-GB") : "";
    return element("li", { class: each.level }, element("time", { text: time }), element("span", { text: each.text }));
  });
  place.replaceChildren(...(rows.length ? rows : [element("li", { class: "soft", text: "None." })]));
}

function showSettings() {
  const place = part("settings");
  const { settings = {} } = model.info;
  const told = JSON.stringify(settings); // a run that waits has fewer than one that has begun
  if (place.dataset.told === told) return;
  place.dataset.told = told;
  place.replaceChildren(
    ...Object.entries(settings).map(([name, value]) =>
      element("div", {}, element("dt", { text: settingName(name) }), element("dd", { text: settingValue(value) })),
    ),
  );
}

function showFailure() {
  const { info, state } = model;
  const isBad = ["failed", "diverged", "broken"].includes(state);
  part("failure").hidden = !isBad;
  if (!isBad) return;
  const diverged = "The loss is no longer a finite number. Try a smaller learning rate.";
  set("error", state === "diverged" ? diverged : (info.error ?? "It failed."));
  set("last-words", info.last_words ?? "");
  part("last-words").hidden = !info.last_words;
}

function showControls() {
  const { info, state } = model;
  const { can } = info;
  part("pause").disabled = isAsking || !can.pause;
  part("pause").hidden = can.resume;
  part("resume").hidden = !can.resume;
  part("resume").disabled = isAsking;
  part("stop").disabled = isAsking || !can.stop;
  part("stop").textContent = state === "queued" ? "Take back" : "Stop";
  part("remove").disabled = isAsking || !can.remove;
  part("new-rate").placeholder = small(model.changes.at(-1)?.learning_rate ?? info.settings?.learning_rate);
  part("rate-form").hidden = !(can.learning_rate && state === "running");
  part("use").disabled = isAsking || info.model === null;
  for (const button of root.querySelectorAll("[data-form]")) button.disabled = info.config === null;
}

/** Asks something of the run; buttons wait, and what is refused is told. A run that is gone then is left. */
async function control(what, options = { body: {} }) {
  isAsking = true;
  showControls();
  clearTimeout(timer);
  events.stop();
  await standing.catch(() => null); // or it would be about a run that is gone
  try {
    const { state } = await ask(`${path}${what}`, options);
    if (state === "cancelled" || state === "removed") {
      location.assign(url("training/"));
      return;
    }
  } catch (error) {
    toast(error.message, "bad");
  }
  isAsking = false;
  look();
}

part("pause").addEventListener("click", () => control("/pause"));
part("resume").addEventListener("click", () => control("/resume"));
part("stop").addEventListener("click", () => control("/stop"));
part("rate-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = part("new-rate");
  const reason = part("rate-reason");
  reason.hidden = true;
  field.removeAttribute("aria-invalid");
  try {
    const { learning_rate: rate } = await ask(`${path}/learning-rate`, { body: { learning_rate: field.value.trim() } });
    toast(`Learning rate ${small(rate)} from the next batch on.`);
    field.value = "";
  } catch (error) {
    reason.textContent = error.message;
    reason.hidden = false;
    field.setAttribute("aria-invalid", "true");
  }
});
part("use").addEventListener("click", async () => {
  try {
    await ask(`api/models/${encodeURIComponent(model.info.model)}/use`, { body: {} });
    toast("This model reads your drawings now.");
  } catch (error) {
    toast(error.message, "bad");
  }
});
const dialog = document.getElementById("remove-dialog");
part("remove").addEventListener("click", () => dialog.showModal());
part("remove-cancel").addEventListener("click", () => dialog.close());
part("remove-confirm").addEventListener("click", () => {
  dialog.close();
  control("", { method: "DELETE" });
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) events.stop();
  else look();
});
offerCopies(root, path);
look();
