// How many weights are how large, as a picture.
import { svg } from "./dom.js";
import { plain } from "./network_pictures.js";

/**
 * @param {{histogram: number[], low: number, high: number}} weights  counts in parts of equal width from low to high
 */
export function histogram({ histogram: counts, low, high }, { width = 320, height = 90 } = {}) {
  const most = Math.max(...counts, 1);
  const step = width / counts.length;
  const at = (value) => ((value - low) / (high - low || 1)) * width;
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height + 18}`,
    class: "histogram",
    role: "img",
    "aria-label": `Histogram of the weights from ${plain(low)} to ${plain(high)}`,
  });
  counts.forEach((number, part) => {
    const middle = low + ((part + 0.5) * (high - low)) / counts.length;
    const tall = (height * number) / most;
    picture.append(
      svg("rect", {
        x: (part * step + 0.5).toFixed(2),
        y: (height - tall).toFixed(2),
        width: (step - 1).toFixed(2),
        height: tall.toFixed(2),
        class: middle < 0 ? "negative" : "positive",
      }),
    );
  });
  picture.append(svg("line", { x1: 0, x2: width, y1: height, y2: height, class: "axis" }));
  if (low < 0 && high > 0) {
    picture.append(svg("line", { x1: at(0), x2: at(0), y1: 0, y2: height + 3, class: "axis" }));
    if (at(0) > 40 && at(0) < width - 40)
      picture.append(svg("text", { x: at(0), y: height + 14, "text-anchor": "middle", text: "0" }));
  }
  picture.append(
    svg("text", { x: 0, y: height + 14, text: plain(low) }),
    svg("text", { x: width, y: height + 14, "text-anchor": "end", text: plain(high) }),
  );
  return picture;
}
