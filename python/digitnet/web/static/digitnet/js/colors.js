// Colours by their meaning, and pictures made of numbers.

/** "light" or "dark". */
export const theme = () => document.documentElement.dataset.theme;

/** Chooses one, for this browser. */
export function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("digitnet-theme", name);
  } catch {
    // storage is switched off: it holds for this page
  }
  dispatchEvent(new Event("digitnet-theme"));
}

/** Calls f now and whenever the theme changes: whatever is painted has to be painted again. */
export function onTheme(f) {
  addEventListener("digitnet-theme", f);
  f();
}

// Looked up once for each theme: asking for a style makes the browser lay the page out at once.
const known = new Map();
addEventListener("digitnet-theme", () => known.clear());

/** A colour of css/base.css, as it is now: color("accent"). */
export function color(name) {
  if (!known.has(name)) known.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return known.get(name);
}

/** The same as [red, green, blue]. */
export function rgb(name) {
  const text = color(name);
  const hex = text.length === 4 ? [...text.slice(1)].map((digit) => digit + digit).join("") : text.slice(1, 7);
  return [0, 2, 4].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));
}

/**
 * Paints a square of numbers onto a canvas, a pixel each; CSS makes it larger (class "pixels").
 * @param {HTMLCanvasElement} canvas
 * @param {ArrayLike<number>} values  side * side numbers, row by row
 * @param {"ink"|"signed"} kind  ink: 0 is paper, `most` is full ink. signed: -most to most, 0 is paper.
 * @param {number} [most]  for signed the largest size by default
 */
export function paintSquare(canvas, values, kind = "ink", most = undefined) {
  const side = Math.round(Math.sqrt(values.length));
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d");
  const picture = context.createImageData(side, side);
  fillSquare(picture, 0, 0, values, kind, most);
  context.putImageData(picture, 0, 0);
}

/** Writes such a square into an ImageData at (left, top), so that many can share one canvas. */
export function fillSquare(picture, left, top, values, kind, most, palette = paletteOf(kind)) {
  const side = Math.round(Math.sqrt(values.length));
  let limit = most;
  if (limit === undefined) {
    limit = kind === "ink" ? 255 : 0;
    if (kind === "signed") for (const value of values) limit = Math.max(limit, Math.abs(value));
  }
  const scale = limit > 0 ? 1 / limit : 0;
  const { ground, above, below } = palette;
  for (let i = 0; i < values.length; i++) {
    const share = Math.max(-1, Math.min(1, values[i] * scale));
    const end = share >= 0 ? above : below;
    const weight = Math.abs(share);
    const at = 4 * ((top + Math.floor(i / side)) * picture.width + left + (i % side));
    for (let channel = 0; channel < 3; channel++) {
      picture.data[at + channel] = ground[channel] + (end[channel] - ground[channel]) * weight;
    }
    picture.data[at + 3] = 255;
  }
}

/** The colours of a kind as they are now; look them up once for many squares. */
export const paletteOf = (kind) =>
  kind === "ink"
    ? { ground: rgb("canvas"), above: rgb("ink"), below: rgb("canvas") }
    : { ground: rgb("canvas"), above: rgb("positive"), below: rgb("negative") };
