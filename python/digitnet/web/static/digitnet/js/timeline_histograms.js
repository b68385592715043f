// How the weights of each layer are spread, and what changed since the checkpoint before. One axis for all time.
import { color, onTheme } from "./colors.js";
import { element } from "./dom.js";

const POINTS = 120; // of a curve
const HIGH = 84; // CSS pixels
const REACH = 4; // standard deviations that the axis shows

/** A small chart of one kind of numbers ("weights" or "change") of one layer. */
class Histogram {
  constructor(layer, kind) {
    this.layer = layer;
    this.kind = kind;
    this.reach = 0; // the axis goes from -reach to reach
    this.curves = new Map(); // Float32Array by the weights they are of
    this.shown = new Float32Array(POINTS);
    this.canvas = element("canvas", { class: "timeline-histogram", role: "img" });
    this.low = element("span", { class: "number" });
    this.high = element("span", { class: "number" });
    this.deviation = element("span", { class: "number" });
    this.root = element(
      "figure",
      { class: "timeline-spread" },
      element("figcaption", {}, kind === "weights" ? "weights" : "last change", this.deviation),
      this.canvas,
      element("div", { class: "timeline-axis" }, this.low, element("span", { class: "number", text: "0" }), this.high),
    );
  }

  of(weights) {
    return weights?.layers[this.layer]?.[this.kind] ?? null;
  }

  /** One more checkpoint was fetched. True if the axis had to grow. */
  add(weights) {
    const told = this.of(weights);
    if (told === null) return false;
    const reach = Math.max(Math.abs(told.mean) + REACH * told.deviation, 1e-9);
    if (reach <= this.reach) return false;
    this.reach = reach * 1.05;
    this.curves.clear();
    const text = this.reach.toPrecision(2);
    this.low.textContent = `−${text}`;
    this.high.textContent = text;
    return true;
  }

  /** The curve of a checkpoint: the height of its histogram along the axis, 1 at its highest; null if there is none. */
  curve(weights) {
    const told = this.of(weights);
    if (told === null) return null;
    let curve = this.curves.get(weights);
    if (curve === undefined) {
      curve = resample(told, this.reach);
      this.curves.set(weights, curve);
    }
    return curve;
  }

  /** Paints what is between a and b, and behind it another one as a line. */
  paint(a, b, share, other) {
    const { canvas } = this;
    const wide = Math.round(canvas.clientWidth * devicePixelRatio);
    const high = Math.round(HIGH * devicePixelRatio);
    if (wide < 1) return;
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide;
      canvas.height = high;
    }
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, wide, high);
    context.fillStyle = colors.line;
    context.fillRect(Math.round(wide / 2), 0, Math.max(1, devicePixelRatio), high);
    const from = this.curve(a);
    const to = this.curve(b);
    const now = from === null ? to : to === null ? from : this.#between(from, to, share);
    if (now !== null) {
      trace(context, now, wide, high);
      context.lineTo(wide, high);
      context.lineTo(0, high);
      context.fillStyle = colors.fill;
      context.globalAlpha = 0.28;
      context.fill();
      context.globalAlpha = 1;
      stroke(context, now, wide, high, colors.fill, 2);
    }
    const behind = this.curve(other);
    if (behind !== null) stroke(context, behind, wide, high, colors.other, 1.5, true);
  }

  #between(from, to, share) {
    for (let i = 0; i < POINTS; i++) this.shown[i] = from[i] + (to[i] - from[i]) * share;
    return this.shown;
  }

  say(weights, label) {
    const told = this.of(weights);
    this.deviation.textContent = told === null ? "" : `± ${told.deviation.toPrecision(2)}`;
    const what = this.kind === "weights" ? "weights" : "changes of the weights";
    const spread =
      told === null
        ? `nothing to compare with ${label}`
        : `spread of the ${what} ${label}, standard deviation ${told.deviation.toPrecision(2)}`;
    this.canvas.setAttribute("aria-label", `Layer ${this.layer + 1}: ${spread}`);
  }
}

const colors = { line: "", fill: "", other: "" };
const dashes = [[], [4, 3]];

function trace(context, curve, wide, high) {
  context.beginPath();
  for (let i = 0; i < POINTS; i++) {
    const y = high - curve[i] * (high - 6);
    if (i === 0) context.moveTo(0, y);
    else context.lineTo((i / (POINTS - 1)) * wide, y);
  }
}

function stroke(context, curve, wide, high, style, width, isDashed = false) {
  trace(context, curve, wide, high);
  context.setLineDash(dashes[isDashed ? 1 : 0]);
  context.strokeStyle = style;
  context.lineWidth = width * devicePixelRatio;
  context.stroke();
}

/** The counts of a histogram at POINTS places from -reach to reach, between the middles of its parts. */
function resample({ low, high, counts }, reach) {
  const curve = new Float32Array(POINTS);
  const part = (high - low) / counts.length;
  let most = 0;
  for (let i = 0; i < POINTS; i++) {
    const x = -reach + (2 * reach * i) / (POINTS - 1);
    const at = (x - low) / part - 0.5;
    const left = Math.floor(at);
    const before = counts[left] ?? 0;
    curve[i] = before + ((counts[left + 1] ?? 0) - before) * (at - left);
    most = Math.max(most, curve[i]);
  }
  if (most > 0) for (let i = 0; i < POINTS; i++) curve[i] /= most;
  return curve;
}

/** The charts of all layers. */
export class Histograms {
  constructor(place, repaint) {
    this.place = place;
    this.charts = [];
    this.known = new Set();
    onTheme(() => {
      Object.assign(colors, { line: color("line"), fill: color("accent"), other: color("text") });
      if (this.charts.length > 0) repaint();
    });
  }

  /** Takes in what was fetched. */
  add(frames) {
    for (const { weights } of frames) {
      if (weights === null || this.known.has(weights)) continue;
      this.known.add(weights);
      if (this.charts.length === 0) this.#make(weights.layers.length);
      for (const chart of this.charts) chart.add(weights);
    }
  }

  #make(layers) {
    for (let layer = 0; layer < layers; layer++) {
      const pair = ["weights", "change"].map((kind) => new Histogram(layer, kind));
      const name = layer === layers - 1 ? `Layer ${layer + 1}, the answers` : `Layer ${layer + 1}`;
      const charts = pair.map((each) => each.root);
      this.place.append(element("h3", { text: name }), element("div", { class: "timeline-pair" }, ...charts));
      this.charts.push(...pair);
    }
  }

  paint(a, b, share, other) {
    for (const chart of this.charts) chart.paint(a, b, share, other);
  }

  say(weights, label) {
    for (const chart of this.charts) chart.say(weights, label);
  }
}
