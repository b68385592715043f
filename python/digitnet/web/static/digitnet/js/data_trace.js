// An image of 28 x 28 pixels as strokes, so that all pages can go on with it as with a drawing.

const SIDE = 28;
const FINE = 2; // lines to a pixel
const CANVAS = 400;

/**
 * Lines from left to right through all that is at least half ink, so close to each other that they join.
 * @param {ArrayLike<number>} image  784 numbers, 255 for full ink
 * @returns {{strokes: number[][][], width: number, height: number, brush: number}}  a drawing, as js/drawing.js keeps it
 */
export function strokesOf(image) {
  const strokes = [];
  const unit = CANVAS / SIDE;
  const step = unit / FINE;
  const brush = 1.3 * step;
  for (let row = 0; row < SIDE * FINE; row++) {
    const y = (row + 0.5) / FINE;
    let begin = null;
    for (let column = 0; column <= SIDE * FINE; column++) {
      const x = (column + 0.5) / FINE;
      const isInk = column < SIDE * FINE && inkAt(image, x, y) >= 0.5;
      if (isInk) begin ??= x;
      if (isInk || begin === null) continue;
      const end = x - 1 / FINE;
      strokes.push(end > begin ? [[begin * unit, y * unit], [end * unit, y * unit]] : [[begin * unit, y * unit]]);
      begin = null;
    }
  }
  const rounded = strokes.map((stroke) => stroke.map((point) => point.map((value) => Math.round(10 * value) / 10)));
  return { strokes: rounded, width: CANVAS, height: CANVAS, brush };
}

/** Ink between the middles of pixels, in [0, 1]. */
function inkAt(image, x, y) {
  const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
  const [right, down] = [x - 0.5 - left, y - 0.5 - top];
  const at = (column, row) => (column < 0 || row < 0 || column >= SIDE || row >= SIDE ? 0 : image[row * SIDE + column] / 255);
  const upper = at(left, top) * (1 - right) + at(left + 1, top) * right;
  const lower = at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right;
  return upper * (1 - down) + lower * down;
}
