// Curves, by uPlot: in the colours of the page, as wide as their place, and readable without a mouse.
import uPlot from "../vendor/uplot/uPlot.esm.js";
import { color, onTheme } from "./colors.js";

/**
 * A chart of one or more curves over a common x.
 *
 * @example
 * const chart = new Chart(place, { x: "epoch", series: [{ name: "training loss", color: "text-soft" }], y: (v) => v.toFixed(3) });
 * chart.set([[1, 2, 3], [0.5, 0.3, 0.2]]);
 */
export class Chart {
  /**
   * @param {HTMLElement} place  gets the chart; its width is followed
   * @param {{x: string, series: {name: string, color: string, width?: number, dash?: number[], points?: boolean|function}[], y?: (v: number) => string,
   *          height?: number, isLogarithmic?: boolean, range?: [number, number], xRange?: (low: number, high: number) => [number, number],
   *          tick?: (v: number) => string, xSteps?: number[], onPick?: (index: number) => void}} options
   *        tick: what the axis says, as y does by default; xSteps: those that the x axis may go in
   *        color: a name of css/base.css (accent) or a colour; null in the data leaves a gap
   */
  constructor(place, options) {
    this.place = place;
    this.options = options;
    this.data = [[], ...options.series.map(() => [])];
    this.plot = null;
    onTheme(() => this.#make());
    new ResizeObserver(() => this.#resize()).observe(place);
  }

  /** Replaces the numbers: [x values, values of the first curve, ...]. */
  set(data) {
    this.data = data;
    this.plot?.setData(data);
  }

  /** Changes some of the options; if the series are among them, set gives them their numbers. */
  configure(options) {
    this.options = { ...this.options, ...options };
    if (this.data.length !== this.options.series.length + 1) this.data = [[], ...this.options.series.map(() => [])];
    this.#make();
  }

  #size() {
    return { width: Math.max(200, this.place.clientWidth), height: this.options.height ?? 240 };
  }

  #resize() {
    if (this.plot !== null && this.plot.width !== this.#size().width) this.plot.setSize(this.#size());
  }

  #make() {
    this.plot?.destroy();
    const { x, series, y = (value) => String(value), isLogarithmic = false, range, xRange, tick = y, xSteps, onPick } = this.options;
    const font = `12px ${color("sans")}`;
    const axis = { stroke: color("text-soft"), grid: { stroke: color("line"), width: 1 }, ticks: { show: false }, font };
    this.plot = new uPlot(
      {
        ...this.#size(),
        cursor: { y: false, drag: { x: false, y: false } },
        legend: { live: true },
        scales: { x: { time: false, ...(xRange ? { range: (_, low, high) => xRange(low, high) } : {}) }, y: { distr: isLogarithmic ? 3 : 1, ...(range ? { range } : {}) } },
        axes: [
          { ...axis, label: x, labelFont: font, labelSize: 20, ...(xSteps ? { incrs: xSteps } : {}) },
          { ...axis, size: 62, values: (_, values) => values.map((v) => (v === null ? "" : tick(v))) },
        ],
        series: [
          { label: x, value: (_, value) => (value === null || value === undefined ? "–" : String(Number(value.toFixed(2)))) },
          ...series.map((each) => ({
            label: each.name,
            stroke: each.color.startsWith("#") ? each.color : color(each.color),
            width: each.width ?? 2,
            dash: each.dash,
            points: { show: each.points ?? false },
            spanGaps: true,
            value: (_, value) => (value === null || value === undefined ? "–" : y(value)),
          })),
        ],
        hooks: onPick ? { ready: [(plot) => plot.over.addEventListener("click", () => onPick(plot.cursor.idx))] } : {},
      },
      this.data,
      this.place,
    );
  }
}
