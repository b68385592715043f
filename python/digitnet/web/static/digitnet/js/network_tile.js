// A unit in the picture of the layers: its picture, and a bar for its activation.
import { element } from "./dom.js";

/** The place of what has one. */
export const placeOf = ({ layer, unit }) => ({ layer, unit });

/**
 * Makes the button of a unit. Which unit it stands for may change later: `unit` says it, `slot` is where it is.
 * @param {number} layer
 * @param {number} slot
 * @param {{onPoint: Function, onPin: Function, onKey: Function}} events
 * @param {{isOutput?: boolean}} options  an output has its digit and its probability beside the bar
 * @returns {{root: HTMLElement, layer: number, unit: number, slot: number, picture: HTMLCanvasElement, bar: HTMLElement,
 *           share?: HTMLElement, ghost?: HTMLElement}}
 */
export function makeTile(layer, slot, { onPoint, onPin, onKey }, { isOutput = false } = {}) {
  const picture = element("canvas", { class: "pixels picture", "aria-hidden": "true" });
  const bar = element("span", { class: "fill" });
  const tile = { layer, unit: slot, slot, picture, bar };
  const inside = [element("span", { class: "frame" }, picture)];
  if (isOutput) {
    tile.share = element("span", { class: "number share", text: "–" });
    tile.ghost = element("span", { class: "ghost", hidden: true });
    inside.push(
      element("span", { class: "digit", text: String(slot) }),
      element("span", { class: "meter" }, bar, tile.ghost),
      tile.share,
    );
  } else inside.push(element("span", { class: "meter" }, bar));
  const on = {
    pointerenter: (event) => event.pointerType !== "touch" && onPoint(placeOf(tile)),
    pointerleave: () => onPoint(null),
    focus: (event) => event.target.matches(":focus-visible") && onPoint(placeOf(tile)),
    blur: () => onPoint(null),
    click: () => onPin(placeOf(tile)),
    keydown: (event) => onKey(event, tile),
  };
  tile.root = element(
    "button",
    { type: "button", class: isOutput ? "unit output" : "unit", "aria-pressed": "false", on },
    ...inside,
  );
  return tile;
}
