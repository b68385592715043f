// The layers of a run in numbers, with a histogram of the weights of each.
import { count, element, percent, svg } from "./dom.js";
import { small } from "./run_words.js";

const WIDTH = 128;
const HEIGHT = 34;

/**
 * Fills the body of the table of layers.
 * @param {HTMLElement} body
 * @param {object[]} layers  of an epoch event
 * @param {number[]} sizes  numbers of units, the inputs first
 */
export function showLayers(body, layers, sizes) {
  if (layers.length === 0) {
    body.replaceChildren(
      element("tr", {}, element("td", { colspan: 6, class: "soft", text: "After the first epoch." })),
    );
    return;
  }
  body.replaceChildren(
    ...layers.map((layer, i) => {
      const number = (text) => element("td", { class: "number", text });
      const isOutput = i === layers.length - 1;
      return element(
        "tr",
        {},
        element("th", { scope: "row", text: isOutput ? "output" : String(i + 1) }),
        number(sizes[i + 1] === undefined ? "–" : count(sizes[i + 1])),
        number(small(layer.gradient_norm)),
        number(small(layer.update_ratio)),
        number(isOutput ? "–" : percent(layer.dead_share, 1)),
        element("td", {}, ...histogram(layer)),
      );
    }),
  );
}

function histogram({
  histogram: bins,
  histogram_low: low,
  histogram_high: high,
  weight_mean: mean,
  weight_deviation: deviation,
}) {
  if (!bins?.length || low === null || high === null) return ["–"];
  const most = Math.max(...bins, 1);
  const width = WIDTH / bins.length;
  const words = `Weights from ${small(low)} to ${small(high)}, mean ${small(mean)}, deviation ${small(deviation)}`;
  const picture = svg("svg", { class: "bins", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  bins.forEach((value, i) => {
    const height = (value / most) * (HEIGHT - 2);
    picture.append(
      svg("rect", {
        x: (i * width + 0.4).toFixed(2),
        y: (HEIGHT - height).toFixed(2),
        width: Math.max(width - 0.8, 0.5).toFixed(2),
        height: height.toFixed(2),
      }),
    );
  });
  if (low < 0 && high > 0) {
    const zero = ((-low / (high - low)) * WIDTH).toFixed(1);
    picture.append(svg("line", { x1: zero, x2: zero, y1: 0, y2: HEIGHT }));
  }
  return [
    picture,
    element(
      "div",
      { class: "ends number" },
      element("span", { text: small(low) }),
      element("span", { text: small(high) }),
    ),
  ];
}
