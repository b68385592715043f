// An image of 28 x 28 pixels as strokes, so that all pages can go on with it as with a drawing: the middle of its lines,
// and a pen as wide as they are. What has no lines, such as a shirt, becomes many thin ones from left to right.

const SIDE = 28;
const CANVAS = 400;
const FINE = 3; // places in a pixel, each way
const WIDEST = 5.5; // pixels, of a line that a pen could have drawn
const WIDTH = SIDE * FINE + 2; // of the mask, with an empty place all around
const AROUND = [-WIDTH, -WIDTH + 1, 1, WIDTH + 1, WIDTH, WIDTH - 1, -1, -WIDTH - 1]; // clockwise, from above

/**
 * @param {ArrayLike<number>} image  784 numbers, 255 for full ink
 * @returns {{strokes: number[][][], width: number, height: number, brush: number}}  a drawing, as js/drawing.js keeps it
 */
export function strokesOf(image) {
  const mask = maskOf(image);
  const lines = trace(thin(mask.slice()));
  const area = mask.reduce((sum, place) => sum + place, 0);
  const length = lines.reduce((sum, line) => sum + lengthOf(line), 0);
  const wide = length > 0 ? area / length : Math.sqrt(area);
  const isDrawn = wide <= WIDEST * FINE;
  const unit = CANVAS / (SIDE * FINE);
  const strokes = (isDrawn ? lines.map(smooth) : scan(mask)).map((line) => line.map(([x, y]) => [round(x * unit), round(y * unit)]));
  return { strokes, width: CANVAS, height: CANVAS, brush: round((isDrawn ? wide : 1.5) * unit) };
}

const round = (value) => Math.round(10 * value) / 10;
const place = (at) => [(at % WIDTH) - 0.5, Math.floor(at / WIDTH) - 0.5]; // its middle, in places
const lengthOf = (line) => line.slice(1).reduce((sum, [x, y], i) => sum + Math.hypot(x - line[i][0], y - line[i][1]), 0);

/** Where there is half ink and more: 1, in rows of WIDTH. */
function maskOf(image) {
  const mask = new Uint8Array(WIDTH * WIDTH);
  const ink = (column, row) => (column < 0 || row < 0 || column >= SIDE || row >= SIDE ? 0 : image[row * SIDE + column] / 255);
  for (let row = 0; row < SIDE * FINE; row++) {
    const y = (row + 0.5) / FINE - 0.5;
    const [top, down] = [Math.floor(y), y - Math.floor(y)];
    for (let column = 0; column < SIDE * FINE; column++) {
      const x = (column + 0.5) / FINE - 0.5;
      const [left, right] = [Math.floor(x), x - Math.floor(x)];
      const upper = ink(left, top) * (1 - right) + ink(left + 1, top) * right;
      const lower = ink(left, top + 1) * (1 - right) + ink(left + 1, top + 1) * right;
      if (upper * (1 - down) + lower * down >= 0.5) mask[(row + 1) * WIDTH + column + 1] = 1;
    }
  }
  return mask;
}

/** Takes places away from outside until lines one place wide are left (Zhang and Suen, 1984). */
function thin(mask) {
  for (let isDone = false, turn = 0, idle = 0; !isDone; turn = 1 - turn) {
    const gone = [];
    for (let at = WIDTH; at < mask.length - WIDTH; at++) {
      if (mask[at] === 0) continue;
      const around = AROUND.map((step) => mask[at + step]);
      const full = around.reduce((sum, each) => sum + each, 0);
      const begins = around.filter((each, i) => each === 0 && around[(i + 1) % 8] === 1).length;
      const [up, , right, , down, , left] = around;
      const isOutside = turn === 0 ? up * right * down === 0 && right * down * left === 0 : up * right * left === 0 && up * down * left === 0;
      if (full >= 2 && full <= 6 && begins === 1 && isOutside) gone.push(at);
    }
    for (const at of gone) mask[at] = 0;
    idle = gone.length === 0 ? idle + 1 : 0;
    isDone = idle === 2;
  }
  return mask;
}

/** Follows such lines from their ends, straight on where they part; lists of points, in places. */
function trace(mask) {
  const isSeen = new Uint8Array(mask.length);
  const near = (at) => AROUND.map((step) => at + step).filter((each) => mask[each] === 1);
  const all = [...mask.keys()].filter((at) => mask[at] === 1);
  const ends = all.filter((at) => near(at).length === 1);
  const lines = [];
  for (const start of [...ends, ...all]) {
    if (isSeen[start]) continue;
    const line = [start];
    isSeen[start] = 1;
    const parted = near(start).find((each) => isSeen[each]);
    if (parted !== undefined && !ends.includes(start)) line.unshift(parted); // a branch begins where it left the line
    for (;;) {
      const at = line.at(-1);
      const before = place(line.at(-4) ?? line[0]);
      const [x, y] = place(at);
      const turn = (next) => {
        const [a, b] = place(next);
        return (a - x) * (x - before[0]) + (b - y) * (y - before[1]);
      };
      const next = near(at).filter((each) => !isSeen[each]).sort((one, other) => turn(other) - turn(one))[0];
      if (next === undefined) break;
      isSeen[next] = 1;
      line.push(next);
    }
    const joined = near(line.at(-1)).find((each) => !line.slice(-3).includes(each)); // a ring closes, a branch arrives
    if (joined !== undefined && line.length > 2) line.push(joined);
    if (line.length > FINE || lines.length === 0) lines.push(line.map(place)); // shorter ones are roughness of the edge
  }
  return lines;
}

/** Evens out steps: each point becomes the mean of those around it, every second is kept. */
function smooth(line) {
  const even = line.map((point, i) => {
    const reach = Math.min(2, i, line.length - 1 - i);
    const some = line.slice(i - reach, i + reach + 1);
    return [0, 1].map((axis) => some.reduce((sum, each) => sum + each[axis], 0) / some.length);
  });
  return even.filter((_, i) => i % 2 === 0 || i === line.length - 1);
}

/** All places of a mask as lines from left to right. */
function scan(mask) {
  const lines = [];
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0 || mask[at - 1] === 1) continue;
    const end = mask.indexOf(0, at) - 1;
    lines.push(end > at ? [place(at), place(end)] : [place(at)]);
  }
  return lines;
}
