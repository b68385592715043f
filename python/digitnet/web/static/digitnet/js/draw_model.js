// Which model reads, where it is not the one that comes with digitnet.
import { ask, url } from "./api.js";
import { byTest, element } from "./dom.js";

/** Says it below the reading. */
export async function showModel() {
  let models = [];
  try {
    models = await ask("api/models");
  } catch {
    // it reads all the same
  }
  const model = models.find(({ active }) => active);
  const place = byTest("model");
  place.hidden = model === undefined || model.ships;
  if (place.hidden) return;
  const name = model.kind === "run" ? `run ${model.name}` : model.name;
  const rest = model.calibrated ? "." : ", which is not calibrated: it cannot tell what is no digit.";
  place.replaceChildren("Read by ", element("a", { href: url("models/"), text: name }), rest);
}
