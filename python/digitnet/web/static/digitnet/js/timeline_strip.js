// How sure each checkpoint is of each digit for your drawing: a row for each digit, a column for each checkpoint.
import { onTheme, rgb } from "./colors.js";

const THUMB = 20; // width of a slider's thumb, by css/timeline.css

/**
 * Where checkpoint `index` of `length` is on a slider of this width: the middle of its thumb. Curve and strip use the
 * same, so that what is above each other belongs together.
 */
export const placeAt = (index, length, width) =>
  THUMB / 2 + (length > 1 ? (index / (length - 1)) * (width - THUMB) : 0);

/** The checkpoint that is nearest to a place. */
export function indexAt(x, length, width) {
  if (length < 2) return 0;
  return Math.max(0, Math.min(length - 1, Math.round(((x - THUMB / 2) / (width - THUMB)) * (length - 1))));
}

/** The strip. `onPick(index)` is called for a place that is pressed, and on as the pointer moves. */
export class Strip {
  constructor(canvas, onPick) {
    this.canvas = canvas;
    this.frames = [];
    const pick = (event) => {
      const box = canvas.getBoundingClientRect();
      onPick(indexAt(event.clientX - box.left, this.frames.length, box.width));
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "mouse" && event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      pick(event);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) pick(event);
    });
    new ResizeObserver(() => this.paint()).observe(canvas);
    onTheme(() => this.paint());
  }

  show(frames) {
    this.frames = frames;
    this.paint();
  }

  paint() {
    const { canvas, frames } = this;
    const width = canvas.clientWidth;
    const wide = Math.round(width * devicePixelRatio);
    const high = Math.round(canvas.clientHeight * devicePixelRatio);
    if (wide < 1 || high < 1) return;
    canvas.width = wide;
    canvas.height = high;
    const context = canvas.getContext("2d");
    const ground = rgb("sunken");
    const full = rgb("accent");
    context.fillStyle = `rgb(${ground})`;
    context.fillRect(0, 0, wide, high);
    const gap = Math.max(1, Math.round(devicePixelRatio));
    frames.forEach((frame, index) => {
      const shares = frame.reading?.probabilities;
      const left = index === 0 ? 0 : Math.round(this.#edge(index, width));
      const right = index === frames.length - 1 ? wide : Math.round(this.#edge(index + 1, width));
      const thin = right - left > 4 * gap ? gap : 0; // columns touch where they are narrow
      if (!shares) return;
      for (let digit = 0; digit < 10; digit++) {
        const weight = Math.sqrt(shares[digit]); // so that a doubt of 5 % is seen
        const top = Math.round((digit * high) / 10);
        const bottom = Math.round(((digit + 1) * high) / 10) - gap;
        context.fillStyle = `rgb(${ground.map((value, i) => Math.round(value + (full[i] - value) * weight))})`;
        context.fillRect(left, top, right - left - thin, bottom - top);
      }
    });
  }

  /** Half-way between a checkpoint and the one before, in pixels of the canvas. */
  #edge(index, width) {
    const { length } = this.frames;
    return ((placeAt(index - 1, length, width) + placeAt(index, length, width)) / 2) * devicePixelRatio;
  }
}
