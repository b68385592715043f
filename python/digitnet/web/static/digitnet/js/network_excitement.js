// What excites a unit: how often, for which digits, and the images that do it most.
import { paintSquare } from "./colors.js";
import { count, element, percent } from "./dom.js";
import { plain } from "./network_pictures.js";

/**
 * @param {object} data  of GET api/network/units/<layer>/<unit>/excites
 * @param {{function: string}} unit
 * @returns {Node[]}  the images in them are blank: paintExamples() paints them
 */
export function excitement(data, unit) {
  const names = { mnist: "MNIST", "fashion-mnist": "Fashion-MNIST" };
  const name = names[data.dataset] ?? data.dataset;
  const most = Math.max(...data.mean_by_class.map(Math.abs), 1e-9);
  const bars = data.mean_by_class.map((mean, label) => {
    const fill = element("span", { class: mean < 0 ? "column-fill below" : "column-fill" });
    fill.style.height = `${(100 * Math.abs(mean)) / most}%`;
    return element(
      "li",
      {},
      element("span", { class: "column-frame", "aria-hidden": "true" }, fill),
      element("span", { text: String(label) }),
      element("span", { class: "visually-hidden", text: `: ${plain(mean, 3)}` }),
    );
  });
  return [
    element(
      "p",
      {},
      element("strong", { class: "number", data: { testid: "active-share" }, text: percent(data.active_share, 1) }),
      ` of the ${count(data.test_images)} test images of ${name} ${unit.function === "relu" ? "activate it" : "raise it above 0"}.`,
    ),
    element(
      "div",
      { class: "excite-grid" },
      element(
        "div",
        {},
        element("h4", { class: "label", text: "Mean activation by digit" }),
        element("ul", { class: "columns" }, ...bars),
      ),
      element(
        "div",
        {},
        element("h4", { class: "label", text: `The training images that excite it most` }),
        element(
          "ul",
          { class: "examples" },
          ...data.images.map((image) =>
            element(
              "li",
              { class: "example" },
              element("canvas", {
                class: "pixels",
                role: "img",
                "aria-label": `A ${image.label}, image ${image.index}`,
              }),
              element(
                "span",
                { class: "small" },
                element("b", { text: String(image.label) }),
                element("span", { class: "number soft", text: ` ${plain(image.activation, 1)}` }),
              ),
            ),
          ),
        ),
      ),
    ),
  ];
}

/** Paints the images, again when the theme has changed. */
export function paintExamples(root, data) {
  for (const [index, canvas] of root.querySelectorAll(".example canvas").entries()) {
    const bytes = atob(data.images[index].image);
    paintSquare(
      canvas,
      Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)),
      "ink",
    );
  }
}
