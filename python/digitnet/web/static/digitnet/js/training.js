// The page of all trainings: the form, the list, and those that are compared.
import { ask, url } from "./api.js";
import { toast } from "./dom.js";
import { Comparison, MOST } from "./run_compare.js";
import { RunForm } from "./run_form.js";
import { RunList } from "./run_list.js";
import { isLive } from "./run_words.js";

const SOON = 1000; // milliseconds to the next look where something is at work
const LATER = 4000;
const MANY = 100; // trainings, from which on it is looked less often

const part = (name) => document.querySelector(`.run-list [data-part="${name}"]`);
const dialog = document.getElementById("remove-dialog");
const comparison = new Comparison(document.getElementById("compare"));
const chosen = new Set((new URLSearchParams(location.search).get("compare") ?? "").split(",").filter(Boolean));
let runs = [];
let timer = null;
let removing = null;

const list = new RunList(part("runs"), { onChoose: choose, onRemove: askToRemove, onStop: takeBack });
const form = new RunForm(document.getElementById("run-form"), {
  onStart: (id, stays) => {
    if (!stays) location.assign(url(`training/${encodeURIComponent(id)}/`));
    else look();
  },
});

async function look() {
  clearTimeout(timer);
  let wait = LATER;
  try {
    const answer = await ask(form.choices === null ? "api/runs?choices" : "api/runs");
    runs = answer.runs ?? answer;
    if (answer.choices) form.offer(answer.choices);
    form.learnFrom(runs);
    show();
    part("away").textContent = "";
    if (runs.length < MANY && runs.some((run) => isLive(run.state))) wait = SOON;
  } catch (error) {
    part("away").textContent = error.status === 0 ? "The server does not answer. It is asked again." : error.message;
  }
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, wait);
}

function show() {
  const rest = list.show(runs, chosen);
  part("all").hidden = rest === 0;
  part("all").textContent = `Show ${rest} more`;
  part("none").hidden = runs.length > 0;
  comparison.show(
    [...chosen].map((id) => runs.find((run) => run.id === id)).filter((run) => run && run.state !== "broken"),
  );
}

function choose(id, isChosen) {
  if (isChosen && chosen.size >= MOST) {
    toast(`At most ${MOST} trainings can be compared at once.`);
    show();
    return;
  }
  if (isChosen) chosen.add(id);
  else chosen.delete(id);
  const words = chosen.size ? `?compare=${[...chosen].map(encodeURIComponent).join(",")}` : "";
  history.replaceState(null, "", location.pathname + words);
  show();
}

async function takeBack(run) {
  await ask(`api/runs/${encodeURIComponent(run.id)}/stop`, { body: {} }).catch((error) => toast(error.message, "bad"));
  look();
}

function askToRemove(run) {
  removing = run;
  dialog.querySelector("[data-part=remove-words]").textContent =
    `${run.name} goes with its folder, all checkpoints and curves. That cannot be undone.`;
  dialog.showModal();
}

dialog.querySelector("[data-part=remove-cancel]").addEventListener("click", () => dialog.close());
dialog.querySelector("[data-part=remove-confirm]").addEventListener("click", async () => {
  dialog.close();
  await ask(`api/runs/${encodeURIComponent(removing.id)}`, { method: "DELETE" }).catch((error) =>
    toast(error.message, "bad"),
  );
  chosen.delete(removing.id);
  look();
});
part("all").addEventListener("click", () => {
  list.isWhole = true;
  show();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) look();
});
look();
ask("api/data")
  .then(({ sets }) => form.offerSets(sets))
  .catch(() => {}); // the menu and the estimate say less without it
