// Where a unit is: {layer, unit}, both from 0 as in the model file, and how it is called on the page.

const ORDINALS = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"];

/** Whether two places are the same; null is only like null. */
export const isSame = (a, b) => a === b || (a !== null && b !== null && a?.layer === b?.layer && a?.unit === b?.unit);

/** "First layer", "Outputs". */
export function layerName(layer, sizes) {
  if (layer === sizes.length - 2) return "Outputs";
  if (sizes.length === 3) return "Hidden layer";
  return ORDINALS[layer] ? `${ORDINALS[layer]} layer` : `Layer ${layer + 1}`;
}

/** "Unit 37 of the first layer", "Output 7". */
export function unitName({ layer, unit }, sizes) {
  if (layer === sizes.length - 2) return `Output ${unit}`;
  return `Unit ${unit} of the ${layerName(layer, sizes).toLowerCase()}`;
}

/** What the address of the page says: ?model=run-a&unit=0-37&scale=0-37:0,0-5:1.5 */
export function readAddress() {
  const query = new URLSearchParams(location.search);
  const place = (text) => {
    const found = /^(\d{1,7})-(\d{1,7})$/.exec(text ?? "");
    return found ? { layer: Number(found[1]), unit: Number(found[2]) } : null;
  };
  const changes = new Map();
  for (const part of (query.get("scale") ?? "").split(",").slice(0, 64)) {
    const [key, value] = part.split(":");
    const scale = Number(value);
    if (place(key) !== null && value !== "" && scale >= 0 && scale <= 2 && scale !== 1) changes.set(key, scale);
  }
  return { model: query.get("model"), unit: place(query.get("unit")), changes };
}

/** Writes the same, so that the page can be shared and reloaded. */
export function writeAddress({ model, facts, pinned, changes }) {
  const parts = [];
  if (model !== null && !facts?.is_active) parts.push(`model=${encodeURIComponent(model)}`);
  if (pinned !== null) parts.push(`unit=${pinned.layer}-${pinned.unit}`);
  if (changes.size > 0) parts.push(`scale=${[...changes].map(([key, value]) => `${key}:${value}`).join(",")}`);
  history.replaceState(null, "", location.pathname + (parts.length ? `?${parts.join("&")}` : ""));
}
