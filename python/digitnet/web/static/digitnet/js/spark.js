// A curve as small as a word.
import { svg } from "./dom.js";

const WIDTH = 84;
const HEIGHT = 28;

/**
 * Draws the values into an svg of class "spark"; nothing new is made where nothing has changed.
 * @param {SVGSVGElement} place
 * @param {(number|null)[]} values
 */
export function drawSpark(place, values) {
  const known = values.filter((value) => value !== null);
  const key = `${known.length} ${known.at(-1)} ${known[0]}`;
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  if (known.length === 0) {
    place.replaceChildren();
    return;
  }
  const low = Math.min(...known);
  const height = Math.max(...known) - low || 1;
  const x = (i) => 3 + ((WIDTH - 6) * i) / Math.max(known.length - 1, 1);
  const y = (value) => HEIGHT - 4 - ((HEIGHT - 8) * (value - low)) / height;
  const points = known.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  place.replaceChildren(
    svg("polyline", { points }),
    svg("circle", { cx: x(known.length - 1), cy: y(known.at(-1)), r: 2.5 }),
  );
}

/** An empty one. */
export const makeSpark = () => svg("svg", { class: "spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
