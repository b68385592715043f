// "That was a 7": drawings with their digit, kept by the server; the list of them.
import { ask } from "./api.js";
import { onTheme, paintSquare } from "./colors.js";
import { byPart, byTest, count, element, toast } from "./dom.js";

const LEAST_TO_TRAIN = 10; // as services/personal.py has it

const dialog = byTest("personal-dialog");
const more = dialog.querySelector("[data-action=more]");
const buttons = Array.from({ length: 10 }, (_, digit) => {
  const names = { "aria-label": `That was a ${digit}`, "data-testid": `was-${digit}` };
  return element("button", { type: "button", ...names, text: digit });
});
byPart("was").append(...buttons);
let isDeletingAll = false;
let turn = Promise.resolve();

/** One question at a time, in their order: a list opened while a digit is on its way has it, and no count is an old one. */
function inTurn(f) {
  turn = turn.then(f).catch((error) => toast(error.message, "bad"));
  return turn;
}

/**
 * Makes the buttons keep what is drawn.
 * @param {() => object|null} current  the body to send, as api/recognize takes it; null if nothing is drawn
 * @returns {{changed: () => void}}  to be called whenever something else is drawn
 */
export function teach(current) {
  buttons.forEach((button, digit) => {
    button.addEventListener("click", () => {
      const body = current();
      if (body === null) return toast("Draw a digit first.");
      enable(false);
      inTurn(() => keep(body, digit));
    });
  });
  enable(current() !== null);
  inTurn(refreshCount);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) inTurn(refreshCount); // another tab may have kept some
  });
  return {
    changed() {
      enable(current() !== null);
      byTest("teach-words").textContent = "Tell which digit you drew: it joins your own set, which you can train on.";
    },
  };
}

function enable(isEnabled) {
  for (const button of buttons) button.disabled = !isEnabled;
}

async function keep(body, digit) {
  try {
    showCounts(await ask("api/personal", { body: { ...body, digit } }));
    byTest("teach-words").textContent = `Kept as a ${digit}. Draw the next one.`;
  } catch (error) {
    enable(true);
    throw error;
  }
}

async function refreshCount() {
  try {
    showCounts(await ask("api/personal?limit=1"));
  } catch {
    // it is asked again when the list is opened
  }
}

function showCounts({ count: total, counts }) {
  byTest("personal-count").textContent = count(total);
  const each = `Of the digits 0 to 9: ${counts.map(count).join(", ")}`;
  byPart("personal-words").textContent =
    total === 0 ? "None yet. Draw one and say what it was." : `${count(total)} in all. ${each}.`;
  for (const link of byPart("personal-actions").querySelectorAll("[download], button")) link.hidden = total === 0;
  byTest("download-all").hidden = total < LEAST_TO_TRAIN;
}

async function load() {
  const last = byTest("personal-list").lastElementChild?.dataset.id;
  const answer = await ask(`api/personal?limit=60${last ? `&before=${last}` : ""}`);
  showCounts(answer);
  byTest("personal-list").append(...answer.digits.map(shown));
  more.hidden = byTest("personal-list").childElementCount >= answer.count;
}

function shown({ id, digit, image }) {
  const canvas = element("canvas", { class: "pixels", role: "img", "aria-label": `A ${digit}` });
  paintSquare(canvas, image);
  canvas.image = image;
  const remove = element("button", { type: "button", "aria-label": `Delete this ${digit}`, text: "Delete" });
  const name = element("span", { class: "number small", text: digit });
  const made = element("div", { class: "kept-one", data: { id } }, canvas, name, remove);
  remove.addEventListener("click", () =>
    inTurn(async () => {
      const totals = await ask(`api/personal/${id}`, { method: "DELETE" });
      (made.nextElementSibling ?? made.previousElementSibling)?.querySelector("button").focus();
      made.remove();
      showCounts(totals);
    }),
  );
  return made;
}

function askForDeletion(isAsking) {
  isDeletingAll = isAsking;
  byTest("personal-delete-all").textContent = isAsking ? "Really delete all?" : "Delete all";
}

byTest("personal").addEventListener("click", () => {
  byTest("personal-list").replaceChildren();
  askForDeletion(false);
  dialog.showModal();
  inTurn(load);
});
more.addEventListener("click", () => inTurn(load));
byTest("personal-delete-all").addEventListener("click", () => {
  if (!isDeletingAll) return askForDeletion(true);
  askForDeletion(false);
  inTurn(async () => {
    await ask("api/personal", { method: "DELETE" });
    byTest("personal-list").replaceChildren();
    await load();
  });
});
onTheme(() => {
  for (const canvas of byTest("personal-list").querySelectorAll("canvas")) paintSquare(canvas, canvas.image);
});
