// What changed units do to the reading.
import { element, percent } from "./dom.js";
import { signed } from "./network_pictures.js";

/** The probabilities and the sum of the reading as they are, and as they were before units were changed. */
export function effectTable(answer) {
  const now = answer.probabilities;
  const before = answer.original?.probabilities ?? null;
  if (now === null)
    return [element("p", { class: "soft", text: "Draw something to see what it does to the reading." })];
  const rows = now.map((share, digit) => {
    const fill = element("span", { class: "fill" });
    fill.style.width = `${100 * share}%`;
    const meter = element("span", { class: "meter", "aria-hidden": "true" }, fill);
    if (before) {
      const ghost = element("span", { class: "ghost" });
      ghost.style.left = `${100 * before[digit]}%`;
      meter.append(ghost);
    }
    return element(
      "tr",
      { class: digit === answer.output ? "likeliest" : "" },
      element("th", { scope: "row", text: String(digit) }),
      element("td", { class: "wide" }, meter),
      element("td", { class: "number", text: percent(share, 1) }),
      element("td", { class: "number soft", text: before ? percent(before[digit], 1) : "" }),
    );
  });
  const { output } = answer;
  const sums = element(
    "p",
    { class: "small soft sum-note", data: { testid: "sum-note" } },
    `The sum z of output ${output} is `,
    element("b", { class: "number", text: signed(answer.logits[output], 3) }),
    before ? `; unchanged it was ${signed(answer.original.logits[output], 3)}.` : ".",
  );
  const table = element(
    "table",
    { class: "effect-table" },
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("th", { scope: "col", text: "digit" }),
        element("td"),
        element("th", { scope: "col", class: "number", text: "now" }),
        element(before ? "th" : "td", {
          scope: before ? "col" : null,
          class: "number",
          text: before ? "unchanged" : "",
        }),
      ),
    ),
    element("tbody", {}, ...rows),
  );
  return [sums, table];
}
