// A unit taken apart: its sum, its weights, what excites it, and a knob to turn it down.
import { ask } from "./api.js";
import { patient } from "./network_patient.js";
import { onTheme } from "./colors.js";
import { count, element, isReducedMotion } from "./dom.js";
import { effectTable } from "./network_effect.js";
import { excitement, paintExamples } from "./network_excitement.js";
import { histogram } from "./network_histogram.js";
import { FULL, bytesOf, paintCells, plain, signed } from "./network_pictures.js";
import { isSame, layerName, unitName } from "./network_place.js";
import { sumTable } from "./network_sum.js";

export class Inspector {
  /**
   * @param {HTMLElement} root
   * @param {{onScale: (place: object, scale: number) => void, onPin: (place: object) => void, onClose: () => void}} events
   */
  constructor(root, events) {
    this.root = root;
    this.events = events;
    this.place = null;
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.events.onClose());
    this.unit = null;
    this.data = null;
    onTheme(() => {
      this.#paintWeights();
      if (this.data) paintExamples(this.root, this.data);
    });
  }

  /** Opens a unit; null closes. */
  async show(place, { model, facts, changes, scroll = false }) {
    this.place = place;
    this.unit = null;
    this.data = null;
    this.root.hidden = place === null;
    if (place === null) return;
    Object.assign(this, { facts, model });
    this.#build(place);
    this.scales(changes);
    if (scroll) this.#reveal();
    const isWanted = () => isSame(place, this.place) && model === this.model;
    const address = `api/network/units/${place.layer}/${place.unit}`;
    const query = `?model=${encodeURIComponent(model)}`;
    try {
      const unit = await ask(address + query);
      if (isWanted()) this.#fill(unit);
      const data = await patient(`${address}/excites${query}`, isWanted);
      if (data !== null && isWanted()) this.#excite(data);
    } catch (error) {
      if (isWanted())
        this.parts.data.replaceChildren(
          element("p", { class: error.code === "no_data" ? "notice" : "notice bad", text: error.message }),
        );
    }
  }

  #reveal() {
    this.root.scrollIntoView({ block: "nearest", behavior: isReducedMotion() ? "auto" : "smooth" });
  }

  #build(place) {
    const { sizes } = this.facts;
    const isOutput = place.layer === sizes.length - 2;
    const part = (name, ...children) => element("section", { class: `part ${name}` }, ...children);
    this.parts = {
      sum: element("div", { data: { testid: "unit-sum" } }),
      weights: element("div", { class: "stack" }),
      data: element(
        "div",
        { class: "stack", data: { testid: "excites" } },
        element("p", { class: "soft", text: "Looking through the images; the first time this takes some seconds." }),
      ),
      links: element("div", { class: "link-grid" }),
      effect: element("div", { class: "effect" }),
    };
    const isFirst = place.layer === 0;
    this.picture = element("canvas", {
      class: isFirst ? "pixels large" : "pixels small-picture",
      role: "img",
      "aria-label": "Its weights as a picture",
    });
    this.gradient = isFirst
      ? null
      : element("canvas", { class: "pixels large", role: "img", "aria-label": "Where more ink raises or lowers it" });
    this.knob = element("input", {
      type: "range",
      min: 0,
      max: 2,
      step: 0.05,
      value: 1,
      id: "unit-scale",
      data: { testid: "unit-scale" },
      on: { input: () => this.#scaled(Number(this.knob.value)) },
    });
    this.value = element("output", { class: "number", for: "unit-scale", text: "× 1.00" });
    this.mute = element("button", {
      type: "button",
      "aria-pressed": "false",
      data: { testid: "mute" },
      text: "Mute",
      on: { click: () => this.#scaled(this.mute.getAttribute("aria-pressed") === "true" ? 1 : 0) },
    });
    const reset = element("button", {
      type: "button",
      class: "quiet",
      data: { testid: "unit-reset" },
      text: "Reset",
      on: { click: () => this.#scaled(1) },
    });
    const knobs = isOutput
      ? element("p", {
          class: "soft",
          text: "Outputs are the answer itself, so there is nothing behind them to turn down.",
        })
      : element(
          "div",
          { class: "stack" },
          element("p", {
            class: "small soft",
            text: "What if it said less, or more? The next layer takes its activation times this.",
          }),
          element(
            "div",
            { class: "row knob" },
            element("label", { class: "label", for: "unit-scale", text: "Scale" }),
            this.knob,
            this.value,
          ),
          element("div", { class: "row" }, this.mute, reset),
        );
    this.root.replaceChildren(
      element(
        "header",
        { class: "row spread" },
        element("h2", { id: "unit-title", text: unitName(place, sizes) }),
        element("button", {
          type: "button",
          class: "quiet",
          data: { testid: "unit-close" },
          text: "Close",
          on: { click: () => this.events.onClose() },
        }),
      ),
      element(
        "div",
        { class: "parts" },
        part("looks", ...this.#looks(place)),
        part("sums", element("h3", { text: "Its sum for this drawing" }), this.parts.sum),
        part(
          "turn",
          element("h3", { text: isOutput ? "The reading" : "Turn it down or up" }),
          knobs,
          this.parts.effect,
        ),
        part("numbers", element("h3", { text: "Its weights in numbers" }), this.parts.weights),
        part("links", this.parts.links),
        part("excites", element("h3", { text: "What excites it" }), this.parts.data),
      ),
    );
  }

  /** The weights of the first layer are pictures; further on they are not, but what more ink would do is one. */
  #looks({ layer }) {
    const { sizes } = this.facts;
    const caption = (text) => element("p", { class: "small soft", text });
    if (layer === 0) {
      return [
        element("h3", { text: "What it looks for" }),
        this.picture,
        caption("One weight for each pixel: blue ink excites it, orange ink quiets it."),
      ];
    }
    const before = layerName(layer - 1, sizes).toLowerCase();
    return [
      element("h3", { text: "What it looks for now" }),
      this.gradient,
      caption("With this drawing: where more ink raises it (blue) or lowers it (orange)."),
      this.picture,
      caption(`Its weights: a cell for each of the ${count(sizes[layer])} units of the ${before}.`),
    ];
  }

  #scaled(scale) {
    this.events.onScale(this.place, scale);
  }

  /** Follows the scales, whoever changed them. */
  scales(changes) {
    if (this.place === null) return;
    const scale = changes.get(`${this.place.layer}-${this.place.unit}`) ?? 1;
    if (Number(this.knob.value) !== scale) this.knob.value = scale;
    this.value.textContent = `× ${scale.toFixed(2)}`;
    this.mute.setAttribute("aria-pressed", String(scale === 0));
  }

  /** What an answer says of the unit. */
  live(sum, answer) {
    if (this.place === null) return;
    const { layer, unit } = this.place;
    const index = layer === this.facts.sizes.length - 2 ? unit : answer.shown[layer].indexOf(unit);
    if (layer > 0 && index >= 0) paintCells(this.gradient, bytesOf(answer.pictures[layer][index].data), FULL);
    if (sum !== null) this.parts.sum.replaceChildren(sumTable(sum, this.facts, answer, 8));
    this.parts.effect.replaceChildren(...effectTable(answer));
  }

  #fill(unit) {
    this.unit = unit;
    const { weights } = unit;
    this.#paintWeights();
    const facts = [
      ["bias", signed(unit.bias, 3)],
      ["mean", signed(weights.mean, 4)],
      ["deviation", plain(weights.deviation, 4)],
      ["norm", plain(weights.norm, 3)],
    ];
    this.parts.weights.replaceChildren(
      histogram(weights),
      element(
        "dl",
        { class: "facts" },
        ...facts.map(([name, value]) =>
          element("div", {}, element("dt", { text: name }), element("dd", { class: "number", text: value })),
        ),
      ),
    );
    this.parts.links.replaceChildren(
      this.#ranked("Strongest weights into it", unit.strongest_in, unit.layer - 1),
      this.#ranked("Strongest weights out of it", unit.strongest_out, unit.layer + 1),
    );
  }

  #excite(data) {
    this.data = data;
    this.parts.data.replaceChildren(...excitement(data, this.unit));
    paintExamples(this.root, data);
  }

  #ranked(title, list, layer) {
    if (!list || list.length === 0) return element("div", { hidden: true });
    const { sizes } = this.facts;
    const name = (unit) =>
      layer < 0
        ? `row ${Math.floor(unit / 28)}, col ${unit % 28}`
        : layer === sizes.length - 2
          ? `digit ${unit}`
          : `unit ${unit}`;
    return element(
      "div",
      {},
      element("h4", { class: "label", text: title }),
      element(
        "ul",
        { class: "ranked" },
        ...list.map(([unit, weight]) => {
          const text = [
            element("span", { text: name(unit) }),
            element("span", { class: "number", text: signed(weight, 3) }),
          ];
          const kind = `chip ${weight < 0 ? "negative" : "positive"}`;
          return element(
            "li",
            {},
            layer < 0
              ? element("span", { class: kind }, ...text)
              : element(
                  "button",
                  { type: "button", class: kind, on: { click: () => this.events.onPin({ layer, unit }) } },
                  ...text,
                ),
          );
        }),
      ),
    );
  }

  #paintWeights() {
    if (this.unit) paintCells(this.picture, bytesOf(this.unit.weights.data), FULL);
  }
}
