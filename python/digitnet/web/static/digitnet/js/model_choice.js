// The menu of models that Network, Parameters and Graph have: which one the page is about.
import { ask, url } from "./api.js";
import { count, element } from "./dom.js";

/**
 * Fills a menu with the models that there are.
 * @param {HTMLSelectElement} select
 * @param {string|null} chosen  the id of the one that the page is about; null if there is none
 */
export async function listModels(select, chosen) {
  let models = [];
  try {
    models = await ask("api/models");
  } catch {
    // the menu is a convenience; the page is about its model without it
  }
  const usable = models.filter((model) => !model.problem);
  if (chosen !== null && !usable.some((model) => model.id === chosen)) usable.unshift({ id: chosen });
  select.replaceChildren(...usable.map((model) => element("option", { value: model.id, text: words(model) })));
  select.value = chosen;
  if (chosen === null) select.selectedIndex = -1;
}

function words({ id, name = id, sizes, active }) {
  const units = sizes ? ` · ${sizes.slice(1, -1).map(count).join("-") || "no hidden layer"}` : "";
  return `${name}${units}${active ? " · in use" : ""}`;
}

/** Says why the page cannot show a model, with the way to others where it is gone. */
export function showProblem(place, { message, status }) {
  const others = status === 404 ? [" ", element("a", { href: url("models/"), text: "All models" })] : [];
  place.replaceChildren(message, ...others);
  place.hidden = false;
}

/** The model that the address of the page asks for: ?model=run-a; null is the one in use. */
export const wantedModel = () => new URLSearchParams(location.search).get("model");

/** The same as a part of an address of the API. */
export const modelQuery = (model) => (model === null ? "" : `?model=${encodeURIComponent(model)}`);
