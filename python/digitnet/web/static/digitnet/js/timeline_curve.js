// The losses over the checkpoints, above the slider: where one is on the way down.
import { svg } from "./dom.js";
import { placeAt } from "./timeline_strip.js";

const HIGH = 72;
const MARGIN = 9;
const MOST_DOTS = 60;

/** Training and validation loss on a logarithmic scale, a point for each checkpoint. */
export class Curve {
  constructor(place) {
    this.place = place;
    this.frames = [];
    this.root = svg("svg", { class: "timeline-curve", height: HIGH, "aria-hidden": "true" });
    place.append(this.root);
    new ResizeObserver(() => this.#draw()).observe(place);
  }

  show(frames) {
    this.frames = frames;
    this.#draw();
  }

  #draw() {
    const { frames } = this;
    const width = this.place.clientWidth;
    const training = frames.map(({ info }) => info.training_loss);
    const validation = frames.map(validationLoss);
    const there = [...training, ...validation].filter((value) => value > 0);
    this.root.setAttribute("width", width);
    if (there.length === 0 || width < 1) return this.root.replaceChildren();
    const low = Math.log(Math.min(...there));
    const high = Math.max(Math.log(Math.max(...there)), low + 1e-6);
    const at = (value, index) => [
      placeAt(index, frames.length, width),
      MARGIN + ((high - Math.log(value)) / (high - low)) * (HIGH - 2 * MARGIN),
    ];
    const point = (value, index) => at(value, index).map((v) => v.toFixed(1)).join(",");
    const line = (values, name) => {
      const points = values.flatMap((value, index) => (value > 0 ? [point(value, index)] : []));
      return svg("polyline", { class: name, points: points.join(" ") });
    };
    const dots = frames.flatMap(({ info }, index) => {
      const value = validation[index] ?? training[index];
      if (!(value > 0) || (frames.length > MOST_DOTS && !info.best)) return [];
      const [cx, cy] = at(value, index);
      return [svg("circle", { class: info.best ? "is-best" : "", cx, cy, r: info.best ? 4.5 : 2 })];
    });
    this.root.replaceChildren(line(training, "training"), line(validation, "validation"), ...dots);
  }
}

/** Of the run, or where that has none (before the first epoch) as it was measured for the confusion matrix. */
export function validationLoss({ info, confusion }) {
  return info.validation_loss ?? (confusion?.of === "validation" ? confusion.loss : null);
}

/** Likewise the accuracy. */
export function validationAccuracy({ info, confusion }) {
  return info.validation_accuracy ?? (confusion?.of === "validation" ? confusion.accuracy : null);
}
