// The lines between the units: each is one term, activation x weight, of the sum of the unit where it ends.
import { svg } from "./dom.js";
import { sideOf } from "./network_pictures.js";

const WIDEST = 4.5; // pixels, of the largest term between two layers
const WIDEST_INK = 2.2; // of the largest of one pixel
const THINNEST = 0.6;
const REST = -1; // as the beginning of a line: all units that are not shown

export class Paths {
  /**
   * @param {SVGElement} root  lies over the diagram
   * @param {import("./network_diagram.js").Diagram} diagram  is asked where the units are
   */
  constructor(root, diagram) {
    this.root = root;
    this.diagram = diagram;
    this.lines = new Map();
    this.anchors = null;
  }

  clear() {
    this.root.replaceChildren();
    this.lines.clear();
    this.anchors = null;
  }

  /** Looks anew where the units are. */
  place() {
    this.anchors = null;
    if (this.diagram.answer !== null) this.paint(this.diagram.answer, this.place_);
  }

  #measure() {
    const { diagram } = this;
    const origin = this.root.getBoundingClientRect();
    const isAcross = diagram.isAcross();
    const box = (element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return { left: left - origin.left, top: top - origin.top, width, height };
    };
    const ends = (element) => {
      const { left, top, width, height } = box(element);
      return isAcross
        ? { in: [left - 1, top + height / 2], out: [left + width + 1, top + height / 2] }
        : { in: [left + width / 2, top - 1], out: [left + width / 2, top + height + 1] };
    };
    const columns = diagram.columns.map(({ tiles, more }) => ({
      tiles: tiles.map((tile) => ends(tile.root.querySelector(".frame"))),
      rest: more && !more.hidden ? ends(more.querySelector("canvas")) : null,
    }));
    this.anchors = { isAcross, seen: box(diagram.seen), columns };
  }

  /**
   * @param {object} answer  of POST api/network/forward
   * @param {{layer: number, unit: number}|null} place  the unit whose lines are shown alone
   */
  paint(answer, place) {
    this.place_ = place;
    if (this.anchors === null) this.#measure();
    const { columns } = this.anchors;
    const drawn = new Set();
    answer.paths.forEach((paths, layer) => {
      const isLast = layer === answer.paths.length - 1;
      const slots = this.#slots(layer, isLast);
      const senders = layer === 0 ? null : this.#slots(layer - 1, false);
      const units = isLast ? null : answer.shown[layer];
      const rests = layer > 0 && columns[layer - 1].rest !== null ? answer.rests[layer] : [];
      const all = [...paths, ...rests.map((value, index) => [REST, units ? units[index] : index, value])];
      const most = all.reduce(
        (size, [from, , value]) => (from === REST ? size : Math.max(size, Math.abs(value))),
        1e-9,
      );
      const weights = this.#importance(answer, layer, isLast);
      for (const [from, to, value] of all) {
        const start =
          from === REST
            ? columns[layer - 1].rest?.out
            : layer === 0
              ? this.#pixel(from)
              : columns[layer - 1].tiles[senders.get(from)]?.out;
        const end = columns[layer].tiles[slots.get(to)]?.in;
        if (!start || !end) continue;
        const isOwn =
          place !== null &&
          ((place.layer === layer && place.unit === to) ||
            (place.layer === layer - 1 && place.unit === from && layer > 0));
        const opacity = this.#opacity({ place, isOwn, from, weight: weights.get(to), isLast });
        if (opacity === 0) continue;
        const key = `${layer}:${from}:${to}`;
        drawn.add(key);
        const width = Math.max(
          THINNEST,
          ((layer === 0 ? WIDEST_INK : WIDEST) * Math.min(most, Math.abs(value))) / most,
        );
        this.#line(key, start, end, width, value, opacity, from === REST);
      }
    });
    for (const [key, line] of this.lines) {
      if (drawn.has(key)) continue;
      line.remove();
      this.lines.delete(key);
    }
  }

  #slots(layer, isLast) {
    const tiles = this.diagram.columns[layer].tiles;
    return new Map(tiles.map((tile, slot) => [isLast ? slot : tile.unit, slot]));
  }

  /** How much each unit has to do with the reading, 0 to 1: its lines are as strong. */
  #importance(answer, layer, isLast) {
    if (isLast) {
      const others = answer.probabilities === null ? 0.4 : 0.1; // where nothing is drawn none is the reading
      const importance = (unit) => (answer.probabilities !== null && unit === answer.output ? 1 : others);
      return new Map(this.diagram.columns[layer].tiles.map((_, unit) => [unit, importance(unit)]));
    }
    const most = answer.effects[layer].reduce((size, value) => Math.max(size, Math.abs(value)), 1e-9);
    return new Map(
      answer.shown[layer].map((unit, index) => [unit, 0.25 + (0.75 * Math.abs(answer.effects[layer][index])) / most]),
    );
  }

  #opacity({ place, isOwn, from, weight, isLast }) {
    if (place !== null) return isOwn ? 0.95 : from === REST ? 0 : 0.06;
    if (from === REST) return isLast && weight === 1 ? 0.5 : 0;
    return 0.1 + 0.65 * weight;
  }

  /** The middle of a pixel of the image. */
  #pixel(index) {
    const { seen } = this.anchors;
    const side = sideOf(784);
    const step = seen.width / side;
    return [seen.left + ((index % side) + 0.5) * step, seen.top + (Math.floor(index / side) + 0.5) * step];
  }

  #line(key, [x, y], [toX, toY], width, value, opacity, isRest) {
    let line = this.lines.get(key);
    if (line === undefined) {
      line = svg("path");
      this.lines.set(key, line);
      this.root.append(line);
    }
    const shape = this.anchors.isAcross
      ? `M${x.toFixed(1)} ${y.toFixed(1)}C${((x + toX) / 2).toFixed(1)} ${y.toFixed(1)} ${((x + toX) / 2).toFixed(1)} ${toY.toFixed(1)} ${toX.toFixed(1)} ${toY.toFixed(1)}`
      : `M${x.toFixed(1)} ${y.toFixed(1)}C${x.toFixed(1)} ${((y + toY) / 2).toFixed(1)} ${toX.toFixed(1)} ${((y + toY) / 2).toFixed(1)} ${toX.toFixed(1)} ${toY.toFixed(1)}`;
    line.setAttribute("d", shape);
    line.setAttribute("class", `${value < 0 ? "negative" : "positive"}${isRest ? " rest" : ""}`);
    line.setAttribute("stroke-width", width.toFixed(2));
    line.setAttribute("stroke-opacity", opacity.toFixed(2));
    line.dataset.path = key;
    line.dataset.value = value;
  }
}
