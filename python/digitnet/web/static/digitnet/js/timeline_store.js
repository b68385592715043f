// What is known of a run's checkpoints: the list, and for each, fetched once and kept, weights, confusion and reading.
import { ApiError, ask, url } from "./api.js";

const AT_ONCE = 3; // requests under way
const AT_WORK = ["queued", "starting", "running"];
const PAUSE = 2000; // milliseconds from one look at a run at work to the next

/** A checkpoint that is kept, and what has been fetched of it so far. */
export class Frame {
  constructor(info) {
    this.info = info;
    this.weights = null; // see decode
    this.confusion = null; // the answer of the server
    this.reading = null; // {status, digit, probabilities} of the drawing; probabilities null if there is no ink
    this.isRead = false; // whether the drawing was shown to it
    this.problem = info.broken; // why it cannot be shown
    this.asked = new Set();
  }

  /** Whether all there is to show is there. */
  get isComplete() {
    return this.problem !== null || (this.weights !== null && this.confusion !== null && this.isRead);
  }

  get key() {
    return `${this.info.name} ${this.info.version}`;
  }

  get path() {
    const { epoch, batch, version } = this.info;
    return (what) => `checkpoints/${epoch}/${what}?batch=${batch}&version=${encodeURIComponent(version)}`;
  }
}

/**
 * Events: "list" when checkpoints came or went, "frame" when something of one was fetched (detail: the Frame),
 * "reading" when the drawing was read, "problem" when the server refused (detail: the message).
 */
export class Store extends EventTarget {
  constructor(runId) {
    super();
    this.path = `api/runs/${encodeURIComponent(runId)}/`;
    this.frames = [];
    this.state = "";
    this.epochs = null;
    this.sizes = [];
    this.total = 0;
    this.focus = 0; // what is looked at is fetched first
    this.drawing = null;
    this.running = 0;
    this.reader = null;
    this.timer = null;
  }

  get isAtWork() {
    return AT_WORK.includes(this.state);
  }

  /** Looks at the list, and again while the run is at work. */
  async follow() {
    clearTimeout(this.timer);
    let wait = PAUSE;
    try {
      await this.refresh();
    } catch (error) {
      this.#tell("problem", error.message);
      if (error.status === 404) return;
      wait = 2 * PAUSE;
    }
    // A run that was resumed goes on, so it is looked at now and then also when it has ended.
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.follow(), this.isAtWork ? wait : 5 * PAUSE);
  }

  async refresh() {
    const answer = await ask(`${this.path}checkpoints`);
    const known = new Map(this.frames.map((frame) => [frame.key, frame]));
    const before = this.frames;
    this.frames = answer.checkpoints.map((info) => {
      const frame = known.get(`${info.name} ${info.version}`) ?? new Frame(info);
      frame.info = info;
      return frame;
    });
    this.state = answer.state;
    this.epochs = answer.epochs;
    this.sizes = answer.sizes;
    this.total = answer.total;
    this.#tell("list");
    const isSame = before.length === this.frames.length && before.every((frame, i) => frame === this.frames[i]);
    if (!isSame && this.drawing !== null) this.read(this.drawing);
    this.#pump();
  }

  /** What is at this place is wanted next. */
  look(index) {
    this.focus = index;
    this.#pump();
  }

  /** Has the drawing read by all checkpoints. The last call counts. */
  async read(drawing) {
    this.drawing = drawing;
    this.reader?.abort();
    this.reader = new AbortController();
    try {
      const { signal } = this.reader;
      const { readings } = await ask(`${this.path}readings`, { body: drawing, signal });
      const byName = new Map(readings.map((reading) => [reading.name, reading]));
      for (const frame of this.frames) {
        const reading = byName.get(frame.info.name) ?? null;
        frame.reading = reading === null || reading.broken ? null : reading;
        frame.isRead = true;
      }
      this.#tell("reading");
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#tell("problem", error.message);
      const isRefused = error.status >= 400 && error.status < 429; // else it is too busy, or away
      if (!isRefused) setTimeout(() => this.read(this.drawing), PAUSE);
    }
  }

  /** Fetches what is missing, the nearest first, few at once. */
  #pump() {
    while (this.running < AT_ONCE) {
      const next = this.#next();
      if (next === null) return;
      const [frame, what] = next;
      frame.asked.add(what);
      this.running += 1;
      const fetched = what === "weights" ? this.#weights(frame) : this.#confusion(frame);
      fetched
        .then(() => this.#tell("frame", frame))
        .catch((error) => this.#failed(frame, what, error))
        .finally(() => {
          this.running -= 1;
          this.#pump();
        });
    }
  }

  #next() {
    let best = null;
    let nearest = Infinity;
    this.frames.forEach((frame, index) => {
      if (frame.problem !== null) return;
      const what = !frame.asked.has("weights") ? "weights" : !frame.asked.has("confusion") ? "confusion" : null;
      const distance = Math.abs(index - this.focus) + (what === "confusion" ? 0.5 : 0);
      if (what === null || distance >= nearest) return;
      nearest = distance;
      best = [frame, what];
    });
    return best;
  }

  async #weights(frame) {
    let response;
    try {
      response = await fetch(url(`${this.path}${frame.path("weights")}&form=bytes`));
    } catch {
      throw new ApiError(0);
    }
    if (!response.ok) throw new ApiError(response.status, (await response.json().catch(() => null))?.error);
    frame.weights = decode(await response.arrayBuffer());
  }

  async #confusion(frame) {
    frame.confusion = await ask(`${this.path}${frame.path("confusion")}`);
  }

  #failed(frame, what, error) {
    if (error.status === 404 || error.status === 410) this.follow(); // removed meanwhile: the list knows
    else if (error.code === "broken_checkpoint") this.#note(frame, error.message);
    else if (error.status === 409 || error.status === 422) {
      frame.confusion = { problem: error.message }; // no samples here, or the network is not for them
      this.#tell("frame", frame);
    } else setTimeout(() => frame.asked.delete(what), PAUSE); // too busy, or away: with the next look
  }

  #note(frame, message) {
    frame.problem = message;
    this.#tell("frame", frame);
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * What the bytes of .../weights?form=bytes say: their header, with `images`, how many there are; `scales`
 * (Float32Array, one for each image); `pixels` (Int8Array, 784 for each image). A weight is pixel * scale.
 */
export function decode(buffer) {
  const size = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
  return {
    ...header,
    scales: new Float32Array(buffer, 4 + size, header.images),
    pixels: new Int8Array(buffer, 4 + size + 4 * header.images),
  };
}
