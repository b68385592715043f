// Asking what is drawn, often and in order: an answer that is older than what is shown already is dropped.
import { ask } from "./api.js";

const BETWEEN = 50; // milliseconds at least between two questions while a line is being drawn
const EXPLAIN_AFTER = 120; // milliseconds of rest before an explanation is asked for
const AGAIN_AFTER = 1000; // milliseconds, where there were too many questions at once

/** What an empty canvas is read as. */
export const EMPTY = { status: "empty", digit: null, probabilities: null, image: new Array(784).fill(0), number: null };

/** Reads a drawing as it grows. */
export class Reader {
  /**
   * @param {{onRead: (answer: object, isFinal: boolean) => void, onExplained: (explanation: object) => void,
   *          onFailed: (error: Error) => void}} listeners
   */
  constructor(listeners) {
    this.listeners = listeners;
    this.wanted = null; // the digit that "make it a ..." asks for
    this.asked = 0; // questions so far
    this.shown = 0; // the one whose answer is shown
    this.open = 0; // without an answer yet
    this.last = -Infinity; // when the last one was asked
    this.next = null; // what to ask as soon as one may
    this.timers = {};
  }

  /** While a line is being drawn: as soon as the last question was answered, and not too often. */
  soon(body) {
    this.next = body;
    this.#stop();
    this.#go();
  }

  /** A line is finished: at once. An explanation follows. */
  now(body) {
    this.next = null;
    this.#stop();
    if (body.strokes?.length === 0) {
      this.shown = ++this.asked;
      this.listeners.onRead(EMPTY, true);
      return;
    }
    this.#ask(body, true);
    this.explainSoon(body);
  }

  /** Why it was read so, and what would make it `wanted`; unless something else is drawn meanwhile. */
  explainSoon(body) {
    clearTimeout(this.timers.explain);
    const { asked } = this;
    this.timers.explain = setTimeout(async () => {
      const wish = this.wanted === null ? {} : { wanted: this.wanted };
      try {
        const { explanation } = await ask("api/recognize", { body: { ...body, ...wish, explain: true } });
        if (asked === this.asked && wish.wanted === (this.wanted ?? undefined)) this.listeners.onExplained(explanation);
      } catch {
        // the reading itself tells what is wrong
      }
    }, EXPLAIN_AFTER);
  }

  #stop() {
    for (const timer of Object.values(this.timers)) clearTimeout(timer);
  }

  #go() {
    if (this.next === null || this.open > 0) return;
    clearTimeout(this.timers.go);
    this.timers.go = setTimeout(
      () => {
        const body = this.next;
        this.next = null;
        this.#ask(body, false);
      },
      Math.max(0, this.last + BETWEEN - performance.now()),
    );
  }

  async #ask(body, isFinal) {
    const number = ++this.asked;
    this.open++;
    this.last = performance.now();
    try {
      const answer = await ask("api/recognize", { body: { ...body, number: true } });
      if (number > this.shown) {
        this.shown = number;
        this.listeners.onRead(answer, isFinal);
      }
    } catch (error) {
      if (number === this.asked && isFinal) {
        if ([429, 503].includes(error.status)) this.timers.again = setTimeout(() => this.now(body), AGAIN_AFTER);
        this.listeners.onFailed(error);
      }
    } finally {
      this.open--;
      this.#go();
    }
  }
}
