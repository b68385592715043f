// The weights of many units as one picture: each a square of 28 x 28 pixels, all in one canvas, painted each frame.
import { onTheme, paletteOf } from "./colors.js";

const SIDE = 28;
const PIXELS = SIDE * SIDE;
const STEPS = 255; // colours on each side of 0
const GAP = 2;
const STEP = SIDE + GAP;
const HIGHEST = 720; // CSS pixels that the canvas may be high before its images are made smaller

// Colours from -STEPS to STEPS, as a pixel of ImageData is stored. One table for all canvases.
const table = new Uint32Array(2 * STEPS + 1);
const isLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

function fillTable() {
  const { ground, above, below } = paletteOf("signed");
  for (let step = -STEPS; step <= STEPS; step++) {
    const end = step < 0 ? below : above;
    const share = Math.abs(step) / STEPS;
    const [r, g, b] = ground.map((value, channel) => Math.round(value + (end[channel] - value) * share));
    const little = (255 << 24) | (b << 16) | (g << 8) | r;
    table[step + STEPS] = isLittle ? little : (r << 24) | (g << 16) | (b << 8) | 255;
  }
}
onTheme(fillTable);

/** How the images of so many units fit: {zoom, columns, rows}; a pixel of the canvas is zoom CSS pixels wide. */
export function arrange(count, width, density, highest = HIGHEST) {
  let found = null;
  for (let halves = 2 * Math.floor(8 * density); halves >= 2; halves -= halves > 6 ? 2 : 1) {
    const zoom = halves / 2 / density; // in whole pixels of the screen, and small ones also between
    const most = Math.min(count, Math.floor((width / zoom + GAP) / STEP));
    if (most < 1) continue;
    const rows = Math.ceil(count / most);
    const columns = Math.ceil(count / rows);
    if (rows * STEP * zoom > highest && halves > 2) continue;
    if (found !== null && zoom < 0.8 * found.zoom) break;
    const isFull = rows * columns === count; // a little smaller is better than a last row with gaps
    if (found === null || isFull) found = { zoom, columns, rows };
    if (isFull) break;
  }
  return found ?? { zoom: 1 / density, columns: 1, rows: count };
}

/** The canvas with the weight images. */
export class WeightImages {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.count = 0;
    this.columns = 1;
    this.zoom = 1;
    this.picture = null;
    this.words = null; // the picture, a number for each pixel
  }

  /** Makes room for so many images in so many CSS pixels. */
  resize(count, width, highest) {
    if (count < 1 || width < 1) return;
    const { zoom, columns, rows } = arrange(count, width, devicePixelRatio, highest);
    const wide = columns * STEP - GAP;
    const high = rows * STEP - GAP;
    this.count = count;
    this.columns = columns;
    this.zoom = zoom;
    this.canvas.classList.toggle("pixels", Number.isInteger(zoom * devicePixelRatio)); // else smoothed: no pixel wider
    this.canvas.style.width = `${wide * zoom}px`;
    this.canvas.style.height = `${high * zoom}px`;
    if (this.picture?.width === wide && this.picture.height === high) return;
    this.canvas.width = wide;
    this.canvas.height = high;
    this.picture = this.context.createImageData(wide, high);
    this.words = new Uint32Array(this.picture.data.buffer);
  }

  /**
   * Paints a * shareA + b * shareB + c * shareC, where full colour is at `limit`. Allocates nothing.
   * @param {object} a  of timeline_store.js, decode; likewise b and c, which may be the same one with a share of 0
   */
  paint(a, shareA, b, shareB, c, shareC, limit) {
    if (this.picture === null || !(limit > 0)) return;
    const { words, columns } = this;
    const { width } = this.picture;
    const count = Math.min(this.count, a.images, b.images, c.images);
    const pixelsA = a.pixels;
    const pixelsB = b.pixels;
    const pixelsC = c.pixels;
    for (let unit = 0; unit < count; unit++) {
      const scaleA = (a.scales[unit] * shareA * STEPS) / limit;
      const scaleB = (b.scales[unit] * shareB * STEPS) / limit;
      const scaleC = (c.scales[unit] * shareC * STEPS) / limit;
      const row = Math.floor(unit / columns);
      let to = row * STEP * width + (unit - row * columns) * STEP;
      let from = unit * PIXELS;
      for (let y = 0; y < SIDE; y++, to += width) {
        for (let x = 0; x < SIDE; x++, from++) {
          let value = pixelsA[from] * scaleA + pixelsB[from] * scaleB + pixelsC[from] * scaleC;
          if (value > STEPS) value = STEPS;
          else if (value < -STEPS) value = -STEPS;
          words[to + x] = table[(value + STEPS + 0.5) | 0];
        }
      }
    }
    this.context.putImageData(this.picture, 0, 0);
  }

  clear() {
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /** The unit under a pointer, or null. */
  unitAt(event) {
    const step = STEP * this.zoom;
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / step);
    const unit = Math.floor((event.clientY - box.top) / step) * this.columns + column;
    return column >= 0 && column < this.columns && unit >= 0 && unit < this.count ? unit : null;
  }

  /** Where a unit is in the canvas, in CSS pixels: [left, top, side]. */
  placeOf(unit) {
    const step = STEP * this.zoom;
    return [(unit % this.columns) * step, Math.floor(unit / this.columns) * step, SIDE * this.zoom];
  }
}

/** Where the colours of what differs between two checkpoints end: 98 % of it is smaller. */
export function limitOfDifference(a, b) {
  const sizes = new Float32Array(Math.ceil(a.pixels.length / 7)); // a seventh of them says it well enough
  for (let i = 0, at = 0; at < a.pixels.length; i++, at += 7) {
    const unit = Math.floor(at / PIXELS);
    sizes[i] = Math.abs(a.pixels[at] * a.scales[unit] - b.pixels[at] * b.scales[unit]);
  }
  sizes.sort();
  return sizes[Math.floor(0.98 * (sizes.length - 1))];
}
