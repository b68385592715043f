// Labels, images and predictions of one part of a data set, as compact arrays.
import { ask, url } from "./api.js";

const PIXELS = 784;

/** The bytes of a base64 text. */
export const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** Images and labels. Images come in sprite sheets, each asked for when one of its images is first needed. "sheet" is an event. */
export class Samples extends EventTarget {
  #sheets = new Map(); // number: bytes, or null while it is on its way

  /** @param {object} facts  what GET api/data/<set>/<part> answers */
  constructor(facts) {
    super();
    this.dataset = facts.dataset;
    this.part = facts.part;
    this.count = facts.samples;
    this.fingerprint = facts.fingerprint;
    this.classes = facts.classes;
    this.classCounts = facts.class_counts;
    this.labels = bytesOf(facts.labels);
    this.perSheet = facts.sheet;
    this.path = `api/data/${facts.dataset}/${facts.part}`;
  }

  static async load(dataset, part, signal) {
    return new Samples(await ask(`api/data/${dataset}/${part}`, { signal }));
  }

  /** 784 bytes, 255 for full ink; null until its sheet is there. */
  image(index) {
    const number = Math.floor(index / this.perSheet);
    const sheet = this.#sheets.get(number);
    if (sheet === undefined) this.#fetch(number);
    if (!sheet) return null;
    const start = (index % this.perSheet) * PIXELS;
    return sheet.subarray(start, start + PIXELS);
  }

  async #fetch(number) {
    this.#sheets.set(number, null);
    try {
      const response = await fetch(url(`${this.path}/sprite/${number}?v=${this.fingerprint}`));
      if (!response.ok) throw new Error(`sheet ${number}: ${response.status}`);
      this.#sheets.set(number, new Uint8Array(await response.arrayBuffer()));
    } catch {
      setTimeout(() => this.#sheets.delete(number), 2000); // asked for again when it is next looked at
    }
    this.dispatchEvent(new Event("sheet"));
  }
}

/** What a model says of them. */
export class Readings {
  /** @param {object} answer  of GET api/data/<set>/<part>/predictions */
  constructor(answer) {
    Object.assign(this, answer);
    this.predicted = bytesOf(answer.predicted);
    this.status = bytesOf(answer.status); // see STATUSES
    const words = bytesOf(answer.confidence);
    this.confidence = Float32Array.from({ length: answer.samples }, (_, i) => (words[2 * i] + 256 * words[2 * i + 1]) / 65535);
  }

  static async load(samples, model, signal) {
    const query = model ? `?model=${encodeURIComponent(model)}` : "";
    return new Readings(await ask(`${samples.path}/predictions${query}`, { signal }));
  }
}

export const STATUSES = ["digit", "unsure", "not_a_digit", "empty"];

/** No filter, in the order of the set. */
export const EVERYTHING = { label: "", read: "", says: "", low: 0, high: 100, sort: "" };

/**
 * The numbers of the images that a filter leaves, in its order.
 * @param {Samples} samples
 * @param {Readings|null} readings  null while they are computed: then only the label counts
 * @param {typeof EVERYTHING} filter
 */
export function select(samples, readings, { label, read, says, low, high, sort }) {
  const { labels } = samples;
  const found = [];
  const [least, most] = [low / 100 - 1e-5, high / 100 + 1e-5];
  for (let i = 0; i < samples.count; i++) {
    if (label !== "" && labels[i] !== Number(label)) continue;
    if (readings !== null) {
      if (read !== "" && readings.predicted[i] !== Number(read)) continue;
      if (readings.confidence[i] < least || readings.confidence[i] > most) continue;
      if (says === "right" && readings.predicted[i] !== labels[i]) continue;
      if (says === "wrong" && readings.predicted[i] === labels[i]) continue;
      if ((says === "unsure" || says === "not_a_digit") && STATUSES[readings.status[i]] !== says) continue;
    }
    found.push(i);
  }
  if (sort === "label") found.sort((a, b) => labels[a] - labels[b] || a - b);
  if (sort === "sure" && readings) found.sort((a, b) => readings.confidence[b] - readings.confidence[a] || a - b);
  if (sort === "unsure" && readings) found.sort((a, b) => readings.confidence[a] - readings.confidence[b] || a - b);
  return found;
}
