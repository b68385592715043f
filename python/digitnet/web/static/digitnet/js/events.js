// The events of a run as they come: a stream that is opened again when it ends, and a list asked for now and then where
// there can be no stream.
import { ask, url } from "./api.js";

const PAUSE = 1000; // milliseconds before a stream is opened again
const POLL = 2000; // between two looks without a stream
const FLUSH = 100; // events are handed on at most so often
const TRIES = 15; // looks without a stream before one is tried again

/** Follows the events of one run. */
export class RunEvents {
  /**
   * @param {string} runId
   * @param {{onEvents: (events: object[]) => void, onGap: () => void}} handlers
   *        onEvents: what is new, in order, each once. onGap: the stream has ended, so the state may be another;
   *        whoever wants more looks at it and calls follow again.
   */
  constructor(runId, { onEvents, onGap }) {
    this.path = `api/runs/${encodeURIComponent(runId)}/events`;
    this.onEvents = onEvents;
    this.onGap = onGap;
    this.seq = 0;
    this.stream = null;
    this.timer = null;
    this.waiting = [];
    this.flusher = null;
    this.tries = 0; // looks to come before a stream is tried again
  }

  /** Hands on all that comes behind `after`, until stop or until the stream ends. */
  follow(after) {
    this.stop();
    this.seq = after;
    if (this.tries > 0) this.#poll();
    else this.#open();
  }

  /** Hands on nothing more. */
  stop() {
    this.stream?.close();
    this.stream = null;
    clearTimeout(this.timer);
    clearTimeout(this.flusher);
    this.flusher = null;
    this.waiting = [];
  }

  #open() {
    let hasBegun = false;
    this.stream = new EventSource(url(`${this.path}?after=${this.seq}`));
    this.stream.addEventListener("open", () => (hasBegun = true));
    this.stream.addEventListener("message", ({ data }) => this.#take(JSON.parse(data)));
    this.stream.addEventListener("error", () => {
      // Ended after its minute, or with the run; or the server is away, or has no place for one more.
      if (!hasBegun) this.tries = TRIES;
      this.#flush();
      this.stream?.close();
      this.stream = null;
      this.timer = setTimeout(this.onGap, hasBegun ? 0 : PAUSE);
    });
  }

  async #poll() {
    this.tries -= 1;
    try {
      const events = await ask(`${this.path}?after=${this.seq}`);
      for (const event of events) this.#take(event);
      this.#flush();
    } catch {
      // onGap finds out what is the matter
    }
    this.timer = setTimeout(this.onGap, POLL);
  }

  #take(event) {
    if (event.seq <= this.seq) return;
    this.seq = event.seq;
    this.waiting.push(event);
    this.flusher ??= setTimeout(() => this.#flush(), FLUSH);
  }

  #flush() {
    clearTimeout(this.flusher);
    this.flusher = null;
    const events = this.waiting;
    this.waiting = [];
    if (events.length > 0) this.onEvents(events);
  }
}
