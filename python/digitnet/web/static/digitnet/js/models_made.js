// How a model was made, as far as its file tells, and the command that makes it again.
import { byTest, count, element, percent, toast } from "./dom.js";

const dialog = byTest("made");
const part = (name) => dialog.querySelector(`[data-part="${name}"]`);

part("close-made").addEventListener("click", () => dialog.close());
dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
part("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(part("command").textContent);
    toast("Copied.");
  } catch {
    getSelection().selectAllChildren(part("command"));
  }
});

const words = (value) => (Array.isArray(value) ? value.map(words).join(", ") : value !== null && typeof value === "object" ? (value.name ?? JSON.stringify(value)) : String(value));

/** Opens it for a model. */
export function showMade(model) {
  const { provenance } = model;
  const rows = [
    ["Learned from", model.learned_from.join(", ")],
    ["Samples", model.training_samples === null ? "" : count(model.training_samples)],
    ["Seed", model.seed],
    ["Layers", model.activations.map((name, layer) => `${count(model.sizes[layer + 1])} ${name}`).join(", ")],
    ...Object.entries(provenance.options ?? {})
      .filter(([name]) => !["hidden", "activation"].includes(name))
      .map(([name, value]) => [name.replaceAll("_", " "), words(value)]),
    ["validation accuracy", shareOf(provenance.validation_accuracy)],
    ["test accuracy", shareOf(provenance.test_accuracy)],
    ["made with digitnet", model.digitnet],
    ["SHA-256 of the file", model.sha256],
  ].filter(([, value]) => value !== "" && value !== null && value !== undefined);
  dialog.querySelector("h2").textContent = `How ${model.kind === "default" ? "this model" : model.name} was made`;
  part("origin").replaceChildren(
    ...rows.map(([name, value]) => element("div", {}, element("dt", { text: name[0].toUpperCase() + name.slice(1) }), element("dd", { text: String(value) }))),
  );
  part("command-place").hidden = !model.can_be_reproduced;
  part("command").textContent = `digitnet reproduce ${model.kind === "default" ? "mnist" : model.name}.safetensors`;
  part("said").textContent = JSON.stringify(provenance, null, 2);
  dialog.showModal();
}

const shareOf = (value) => (typeof value === "number" ? percent(value) : "");
