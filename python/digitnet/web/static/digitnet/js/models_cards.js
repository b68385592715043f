// A card for each model: what it is, how well it reads, what can be done with it.
import { url } from "./api.js";
import { count, element, percent } from "./dom.js";

const SETS = { mnist: "MNIST", "fashion-mnist": "Fashion-MNIST" };
const KINDS = { default: "default", upload: "uploaded", run: "from a training" };

/** 2439204 as "2.4 MB". */
export const megabytes = (bytes) => (bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** Where an accuracy comes from, in words. */
function source({ accuracy, accuracy_on: on, measured, dataset, kind }) {
  if (accuracy === null) return "not measured yet";
  const set = SETS[dataset] ?? dataset;
  if (measured) return `${set} test set, measured here`;
  if (on === "test") return `${set} test set, as the file says`;
  return `of what was held out of the training, as the ${kind === "run" ? "run" : "file"} says`;
}

function downloads(model) {
  const forms = [
    ["", `As it is, ${megabytes(model.bytes)}`],
    ["?precision=full", "Full precision, float32"],
    ["?precision=half", "Half precision, float16"],
    ["?format=npz", "Arrays for NumPy, .npz"],
  ];
  const path = `api/models/${encodeURIComponent(model.id)}/file`;
  const links = forms.map(([query, text]) => element("li", {}, element("a", { href: url(path + query), download: true, text })));
  const menu = element("details", { class: "menu" }, element("summary", { class: "button", text: "Download" }), element("ul", {}, ...links));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (!menu.contains(event.relatedTarget)) menu.open = false;
  });
  return menu;
}

/**
 * @param {object} model  as GET api/models tells it
 * @param {{use, measure, compare, made, remove}} on  what the buttons do: (model, button) => void
 */
export function card(model, on) {
  const button = (text, action, attributes = {}) =>
    element("button", { type: "button", text, ...attributes, on: { click: (event) => on[action](model, event.currentTarget) } });
  const tags = [
    model.active && element("span", { class: "tag running", text: "In use" }),
    element("span", { class: "tag", text: KINDS[model.kind] }),
    model.calibrated && element("span", { class: "tag good", text: "Calibrated", title: "Its confidence was fitted, and it can say that something is no digit" }),
  ].filter(Boolean);
  const fact = (name, value) => element("div", {}, element("dt", { text: name }), element("dd", {}, value));
  const heading = element("h2", { text: model.name });
  const made = element("li", { class: model.active ? "card model active" : "card model", data: { id: model.id } }, heading, element("div", { class: "row tags" }, ...tags));
  if (model.problem !== null) {
    made.append(element("p", { class: "notice bad small", text: model.problem }), element("div", { class: "row actions" }));
    if (model.can_be_removed) made.lastChild.append(button("Remove", "remove", { class: "danger" }));
    return made;
  }
  const layers = model.sizes.map(count).join(" → ");
  made.append(
    element(
      "div",
      { class: "accuracy" },
      element("p", { class: "share number", text: percent(model.accuracy), data: { testid: "accuracy" } }),
      element("p", { class: "small soft", text: source(model) }),
      model.measured ? "" : button("Measure", "measure", { class: "quiet small-button" }),
    ),
    element(
      "dl",
      { class: "facts" },
      fact("Units", element("span", { class: "number", text: layers })),
      fact("Parameters", element("span", { class: "number", text: count(model.parameters) })),
      fact("File", `${megabytes(model.bytes)}, ${model.precision} precision`),
      fact("Learned from", model.learned_from.map((name) => SETS[name] ?? name.split("/").at(-1).split(".")[0]).join(", ") || "it does not say"),
    ),
    element(
      "div",
      { class: "row actions" },
      model.active ? element("button", { type: "button", disabled: true, text: "In use" }) : button("Use this one", "use", { class: "primary" }),
      downloads(model),
    ),
    element(
      "div",
      { class: "row more" },
      button("Compare", "compare", { class: "quiet" }),
      button("How it was made", "made", { class: "quiet" }),
      ...(model.can_be_removed ? [button("Remove", "remove", { class: "quiet danger" })] : []),
    ),
  );
  if (model.kind === "run") {
    heading.textContent = "";
    heading.append(element("a", { href: url(`training/${encodeURIComponent(model.name)}/`), text: model.name }));
  }
  return made;
}
