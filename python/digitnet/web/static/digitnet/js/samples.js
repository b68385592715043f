// Ten digits to try, made for this page: a few points each, with a curve through them. What stands twice is a corner.

const POINTS = [
  [[[50, 12], [32, 18], [22, 40], [24, 68], [38, 86], [56, 86], [74, 70], [78, 44], [70, 22], [54, 12]]],
  [[[36, 30], [54, 12], [54, 12], [53, 50], [52, 88]]],
  [[[26, 30], [36, 14], [56, 12], [70, 24], [66, 44], [44, 66], [24, 86], [24, 86], [50, 82], [78, 84]]],
  [[[28, 20], [46, 11], [66, 18], [68, 34], [48, 46], [48, 46], [70, 54], [74, 72], [58, 87], [36, 86], [24, 76]]],
  [[[48, 12], [24, 58], [24, 58], [80, 56]], [[62, 32], [58, 90]]],
  [
    [[34, 14], [30, 46], [30, 46], [50, 40], [70, 50], [72, 70], [56, 86], [36, 86], [24, 78]],
    [[34, 14], [72, 12]],
  ],
  [[[64, 12], [44, 26], [30, 52], [30, 74], [44, 88], [62, 86], [70, 70], [60, 56], [44, 58], [32, 70]]],
  [[[24, 16], [76, 14], [76, 14], [58, 50], [46, 88]]],
  [
    [[66, 22], [48, 12], [32, 24], [38, 40], [58, 52], [70, 70], [54, 88], [34, 80], [34, 62], [54, 48], [68, 34], [66, 22]],
  ],
  [[[68, 26], [52, 12], [34, 20], [32, 38], [46, 48], [64, 40], [68, 26], [68, 26], [66, 56], [58, 88]]],
];
const PARTS = 6; // of the curve from one point to the next

/** A Catmull-Rom spline through the points. */
function curve(points) {
  const line = [];
  for (let i = 0; i + 1 < points.length; i++) {
    if (String(points[i]) === String(points[i + 1])) continue; // a corner
    const around = [points[Math.max(0, i - 1)], points[i], points[i + 1], points[Math.min(points.length - 1, i + 2)]];
    const at = (axis, t) => along(around.map((point) => point[axis]), t);
    for (let part = 0; part < PARTS; part++) line.push([at(0, part / PARTS), at(1, part / PARTS)]);
  }
  line.push(points.at(-1));
  return line.map(([x, y]) => [Math.round(10 * x) / 10, Math.round(10 * y) / 10]);
}

const along = ([a, b, c, d], t) =>
  b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)));

/** Drawings of 0 to 9, each {strokes, width, height}. */
export const samples = POINTS.map((strokes) => ({ strokes: strokes.map(curve), width: 100, height: 100 }));
