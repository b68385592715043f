// Where in the timeline one is, between checkpoints while it moves and exactly on one when it rests.
import { isReducedMotion } from "./dom.js";

const EASE = 45; // milliseconds in which two thirds of the way are gone
const LONGEST = 14; // seconds that playing takes at most
const SLOWEST = 2; // checkpoints a second
const NEAR = 0.004;

/** How long the work of the last frames took, in milliseconds, in a ring: for tests/web/timeline_speed.py. */
export const frameLog = { work: new Float64Array(4096), count: 0 };

/**
 * A place that moves. `paint(place)` is called once a frame while it moves, `onState()` when playing begins or ends.
 * Those who asked for less motion see it jump.
 */
export class Player {
  constructor({ paint, onState }) {
    this.paint = paint;
    this.onState = onState;
    this.length = 0;
    this.place = 0; // what is shown: a whole number at rest
    this.target = 0; // where it goes
    this.isPlaying = false;
    this.handle = null;
    this.then = 0;
    this.waited = 0;
    this.tick = (now) => this.#tick(now);
  }

  get isMoving() {
    return this.handle !== null;
  }

  get last() {
    return Math.max(0, this.length - 1);
  }

  /** Goes to a checkpoint, smoothly unless `isJump`. */
  go(index, isJump = false) {
    this.target = Math.max(0, Math.min(this.last, index));
    if (isJump || isReducedMotion()) this.place = this.target;
    this.request();
  }

  play() {
    if (this.length < 2) return;
    if (this.target >= this.last) this.place = this.target = 0;
    this.isPlaying = true;
    this.waited = 0;
    this.onState();
    this.request();
  }

  pause() {
    if (!this.isPlaying) return;
    this.isPlaying = false;
    this.target = Math.round(this.place);
    this.onState();
    this.request();
  }

  /** Has the next frame painted. */
  request() {
    if (this.handle !== null) return;
    this.then = performance.now();
    this.handle = requestAnimationFrame(this.tick);
  }

  #tick(now) {
    const began = performance.now();
    const passed = Math.min(100, Math.max(0, now - this.then));
    this.then = now;
    this.handle = null;
    if (this.isPlaying) this.#advance(passed);
    else {
      const rest = this.target - this.place;
      this.place = Math.abs(rest) < NEAR ? this.target : this.place + rest * (1 - Math.exp(-passed / EASE));
    }
    if (this.isPlaying || this.place !== this.target) this.handle = requestAnimationFrame(this.tick);
    this.paint(this.place);
    frameLog.work[frameLog.count++ % frameLog.work.length] = performance.now() - began;
  }

  #advance(passed) {
    const speed = Math.max(SLOWEST, this.last / LONGEST); // checkpoints a second
    if (isReducedMotion()) {
      this.waited += passed;
      if (this.waited < 1000 / speed) return;
      this.waited = 0;
      this.place = Math.floor(this.place) + 1;
    } else this.place += (passed / 1000) * speed;
    if (this.place >= this.last) {
      this.place = this.last;
      this.isPlaying = false;
      this.onState();
    }
    this.target = Math.round(this.place);
  }
}
