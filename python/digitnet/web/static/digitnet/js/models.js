// The page Models: a list that is asked for anew after every change, and two models side by side.
import { ask } from "./api.js";
import { byTest, element, isReducedMotion, toast } from "./dom.js";
import { card } from "./models_cards.js";
import { Compare } from "./models_compare.js";
import { showMade } from "./models_made.js";
import { listenForUploads } from "./models_upload.js";

const list = byTest("model-list");
const order = byTest("order");
const confirmation = byTest("confirm");
const compare = new Compare(byTest("compare"));
let models = [];

const at = (model, action = "") => `api/models/${encodeURIComponent(model.id)}${action}`;

/** Does something and says what was refused; the button waits meanwhile. */
async function attempt(button, words, action) {
  const before = button.textContent;
  button.disabled = true;
  button.textContent = words;
  try {
    await action();
  } catch (error) {
    toast(error.message, "bad");
  } finally {
    button.disabled = false;
    button.textContent = before;
  }
}

const actions = {
  use: (model, button) =>
    attempt(button, "Use this one", async () => {
      await ask(at(model, "/use"), { body: {} });
      toast(`${model.name} is in use now.`);
      await load();
      list.querySelector(".model.active .menu summary")?.focus();
    }),
  measure: (model, button) =>
    attempt(button, "Measuring …", async () => {
      await ask(at(model, "/evaluate"), { body: {} });
      await load();
    }),
  compare: (model) => {
    compare.choose(model.id);
    document.getElementById("compare").scrollIntoView({ behavior: isReducedMotion() ? "auto" : "smooth" });
  },
  made: showMade,
  remove: (model) => {
    confirmation.querySelector("[data-part=confirm-text]").textContent =
      `The file of ${model.name} is deleted.${model.active ? " It is in use; the default model takes its place." : ""}`;
    byTest("confirm-remove").onclick = (event) =>
      attempt(event.currentTarget, "Removing …", async () => {
        await ask(at(model), { method: "DELETE" });
        confirmation.close();
        toast(`${model.name} is removed.`);
        await load();
      });
    confirmation.showModal();
  },
};

function show() {
  const by = { accuracy: (a, b) => (b.accuracy ?? -1) - (a.accuracy ?? -1), bytes: (a, b) => a.bytes - b.bytes }[order.value];
  list.replaceChildren(...(by ? [...models].sort(by) : models).map((model) => card(model, actions)));
}

async function load() {
  try {
    models = await ask("api/models");
  } catch (error) {
    list.replaceChildren(element("li", { class: "notice bad", text: error.message }));
    return;
  }
  show();
  compare.setModels(models.filter((model) => model.problem === null));
}

confirmation.querySelector("[data-part=keep]").addEventListener("click", () => confirmation.close());
order.addEventListener("change", show);
listenForUploads(byTest("upload"), async (model) => {
  await load();
  list.querySelector(`[data-id="${CSS.escape(model.id)}"]`)?.scrollIntoView({ behavior: isReducedMotion() ? "auto" : "smooth", block: "nearest" });
});
await load();
document.querySelector("[data-part=below]").hidden = false;
