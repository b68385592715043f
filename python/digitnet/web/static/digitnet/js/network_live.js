// Asking what the network does, again and again while a digit is drawn: one question at a time, the last one never lost.
import { ask } from "./api.js";

const PAUSE = 30; // milliseconds from an answer to the next question

export class Live {
  /**
   * @param {(wish: {isRested: boolean}) => object} request  makes the body when it is sent, so it is never old
   * @param {(answer: object) => void} paint
   * @param {(error: Error) => void} problem
   * @param {() => void} onState  called when asking begins and when it ends
   */
  constructor(request, paint, problem, onState) {
    Object.assign(this, { request, paint, problem, onState });
    this.isAsking = false;
    this.next = null;
    this.round = 0; // grows when answers on their way are no longer wanted
  }

  /** Asks as soon as the question before is answered. */
  ask({ isRested = false } = {}) {
    this.next = { isRested: isRested || (this.next?.isRested ?? false) };
    if (!this.isAsking) this.#go();
  }

  /** Lets go what is on its way: it is about another network. */
  forget() {
    this.round += 1;
    this.next = null;
  }

  async #go() {
    this.isAsking = true;
    this.onState();
    while (this.next !== null) {
      const wish = this.next;
      const { round } = this;
      this.next = null;
      try {
        const answer = await ask("api/network/forward", { body: this.request(wish) });
        if (round === this.round) {
          await new Promise(requestAnimationFrame);
          if (round === this.round) this.paint(answer);
        }
      } catch (error) {
        if (round === this.round) this.problem(error);
      }
      await new Promise((done) => setTimeout(done, PAUSE));
    }
    this.isAsking = false;
    this.onState();
  }
}
