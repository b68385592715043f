// Pictures made of many small numbers, as they come from the server.
import { onTheme, paletteOf } from "./colors.js";

// Asking for a colour makes the browser work out its styles, so it is done once for each theme.
let colors = null;
onTheme(() => {
  colors = null;
});
const palette = () => (colors ??= paletteOf("signed"));

/** Of 127: the size of a weight that has the full colour, so that the smaller ones are seen, too. */
export const FULL = 90;

/** base64 of int8 as an Int8Array. */
export function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Int8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = (text.charCodeAt(i) << 24) >> 24;
  return bytes;
}

/** The side of the smallest square that has room for so many cells. */
export const sideOf = (cells) => Math.ceil(Math.sqrt(cells));

/**
 * Paints numbers as the cells of a square, row by row, one pixel each; what is left of the square stays clear.
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values
 * @param {number} most  the size that has the full colour
 */
export function paintCells(canvas, values, most) {
  const side = sideOf(values.length);
  if (canvas.width !== side || canvas.height !== side) {
    canvas.width = side;
    canvas.height = side;
  }
  const { ground, above, below } = palette();
  const scale = most > 0 ? 1 / most : 0;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(side, side);
  const { data } = picture;
  for (let i = 0; i < values.length; i++) {
    const share = Math.max(-1, Math.min(1, values[i] * scale));
    const end = share >= 0 ? above : below;
    const weight = Math.abs(share);
    data[4 * i] = ground[0] + (end[0] - ground[0]) * weight;
    data[4 * i + 1] = ground[1] + (end[1] - ground[1]) * weight;
    data[4 * i + 2] = ground[2] + (end[2] - ground[2]) * weight;
    data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

/** The largest size among numbers. */
export function largest(values) {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** A number with its sign and about three digits: "+0.49", "−1.3", "0". */
export function signed(value, digits = 2) {
  if (value === 0) return "0";
  const text = plain(Math.abs(value), digits);
  return (value < 0 ? "−" : "+") + text;
}

/** A number with two digits behind the point, or as a power of ten where they would say nothing. */
export function plain(value, digits = 2) {
  const size = Math.abs(value);
  const text =
    size !== 0 && (size < 0.5 * 10 ** -digits || size >= 1e5)
      ? size.toExponential(1).replace("-", "−")
      : size.toFixed(digits);
  return value < 0 ? `−${text}` : text;
}
