// One unit through time: its weight image at checkpoints from the first to the last, side by side.
import { fillSquare, onTheme, paletteOf } from "./colors.js";

const SIDE = 28;
const STEP = SIDE + 2;

/** A strip of pictures; one that is pressed is gone to. */
export class UnitLife {
  constructor({ film, unit, here }, { onUnit, onPick }) {
    this.canvas = film;
    this.here = here;
    this.index = 0; // of the checkpoint that is shown
    this.zoom = 1;
    this.input = unit;
    this.unit = null;
    this.places = []; // which checkpoints are shown
    this.frames = [];
    this.limitOf = () => 1;
    unit.addEventListener("input", () => {
      if (unit.value === "") return; // it is being typed
      const wanted = Math.max(0, Math.min(Number(unit.max), Math.trunc(unit.valueAsNumber)));
      if (wanted !== unit.valueAsNumber) unit.value = wanted;
      onUnit(wanted);
    });
    unit.addEventListener("change", () => (unit.value = this.unit)); // what was left empty
    film.addEventListener("click", (event) => {
      const box = film.getBoundingClientRect();
      const place = Math.floor(((event.clientX - box.left) / box.width) * this.places.length);
      if (this.places[place] !== undefined) onPick(this.places[place]);
    });
    new ResizeObserver(() => this.paint()).observe(film.parentElement);
    onTheme(() => this.paint());
  }

  show(frames, unit, limitOf) {
    this.frames = frames;
    this.unit = unit;
    this.limitOf = limitOf;
    if (document.activeElement !== this.input) this.input.value = unit;
    this.paint();
  }

  /** Marks the picture that is nearest to a checkpoint. */
  mark(index) {
    this.index = index;
    let nearest = 0;
    this.places.forEach((place, i) => {
      if (Math.abs(place - index) < Math.abs(this.places[nearest] - index)) nearest = i;
    });
    this.here.style.width = `${SIDE * this.zoom}px`;
    this.here.style.transform = `translateX(${nearest * STEP * this.zoom}px)`;
  }

  paint() {
    const there = this.frames.flatMap(({ weights }, index) => (weights?.images > this.unit ? [index] : []));
    if (there.length === 0 || this.unit === null) return;
    const width = this.canvas.parentElement.clientWidth;
    const wished = Math.max(2, Math.min(3, width / (there.length * STEP))); // larger where there are few
    const zoom = Math.max(1, Math.floor(devicePixelRatio * wished)) / devicePixelRatio;
    const most = Math.max(2, Math.floor((width / zoom + STEP - SIDE) / STEP));
    const shown = Math.min(there.length, most);
    const stride = (there.length - 1) / Math.max(1, shown - 1);
    this.places = [...Array(shown).keys()].map((i) => there[Math.round(i * stride)]);
    this.zoom = zoom;
    this.canvas.width = shown * STEP - (STEP - SIDE);
    this.canvas.height = SIDE;
    this.canvas.style.width = `${this.canvas.width * zoom}px`;
    this.canvas.style.height = `${SIDE * zoom}px`;
    const context = this.canvas.getContext("2d");
    const picture = context.createImageData(this.canvas.width, SIDE);
    const palette = paletteOf("signed");
    this.places.forEach((index, place) => {
      const { weights } = this.frames[index];
      const pixels = weights.pixels.subarray(784 * this.unit, 784 * (this.unit + 1));
      const limit = this.limitOf(weights) / (weights.scales[this.unit] || 1);
      fillSquare(picture, place * STEP, 0, pixels, "signed", limit, palette);
    });
    context.putImageData(picture, 0, 0);
    const label = `Weights of unit ${this.unit} at ${shown} checkpoints, from the first to the last`;
    this.canvas.setAttribute("aria-label", label);
    this.mark(this.index);
  }
}

/** An outline around a unit in a canvas of weight images. */
export function outline(place, images, unit) {
  place.hidden = unit === null || unit >= images.count;
  if (place.hidden) return;
  const [left, top, side] = images.placeOf(unit);
  Object.assign(place.style, { transform: `translate(${left}px, ${top}px)`, width: `${side}px`, height: `${side}px` });
}

/** The unit whose weights are largest: the one that is shown at first. */
export function strongest({ scales }) {
  let best = 0;
  for (let unit = 1; unit < scales.length; unit++) if (scales[unit] > scales[best]) best = unit;
  return best;
}
