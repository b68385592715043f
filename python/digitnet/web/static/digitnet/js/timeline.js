// The timeline of a training: one slider through the checkpoints that were stored, and all that moves with it.
import { onTheme } from "./colors.js";
import { throttle } from "./dom.js";
import { Curve } from "./timeline_curve.js";
import { frameLog, Player } from "./timeline_player.js";
import { Reading } from "./timeline_reading.js";
import { Store } from "./timeline_store.js";
import { placeAt, Strip } from "./timeline_strip.js";
import { strongest, UnitLife } from "./timeline_unit.js";
import { View } from "./timeline_view.js";
import { fromAddress, keepInAddress, labelOf, nameOf } from "./timeline_words.js";

export { frameLog };

const STORED = ["start", "checkpoint", "end"]; // events after which the list is another one
const mounted = new WeakMap();

/**
 * Brings the timeline of a run to life in its section of the page (templates/digitnet/timeline.html).
 * @param {HTMLElement} section
 * @param {string} runId
 * @returns {Timeline}  the same one if it was done before
 */
export function mountTimeline(section, runId) {
  if (!mounted.has(section)) mounted.set(section, new Timeline(section, runId));
  return mounted.get(section);
}

class Timeline {
  constructor(section, runId) {
    const named = [...section.querySelectorAll("[data-timeline]")];
    this.section = section;
    this.parts = Object.fromEntries(named.map((each) => [each.dataset.timeline, each]));
    this.frames = []; // as they were listed last
    this.other = 0; // what is compared with
    this.isComparing = false;
    this.isFollowing = true; // new checkpoints are gone to as they come
    this.said = null; // the Frame that all words are about
    this.unit = null;
    this.width = 0; // of the slider

    const { parts } = this;
    this.store = new Store(runId);
    this.player = new Player({ paint: (place) => this.#paint(place), onState: () => this.#sayPlaying() });
    this.reading = new Reading(parts, (drawing) => this.store.read(drawing));
    this.view = new View(parts, this.reading, () => this.player.request());
    this.strip = new Strip(parts.strip, (index) => this.go(index));
    this.curve = new Curve(parts.curve);
    this.life = new UnitLife(parts, { onUnit: (unit) => this.#choose(unit), onPick: (index) => this.go(index) });
    this.overviewSoon = throttle(() => this.#overview(), 150);
    this.#listen();
    this.store.drawing = this.reading.drawing;
    this.store.follow();
  }

  /** Goes to a checkpoint. */
  go(index) {
    this.player.pause();
    this.player.go(index);
    this.isFollowing = index === this.player.last;
    this.store.look(index);
    this.#moveThumb();
  }

  #listen() {
    const { parts, store } = this;
    store.addEventListener("list", () => this.#listed());
    store.addEventListener("frame", ({ detail }) => this.#fetched(detail));
    store.addEventListener("reading", () => this.#read());
    store.addEventListener("problem", ({ detail }) => this.#notice(detail, true));
    parts.range.addEventListener("input", () => this.go(parts.range.valueAsNumber));
    parts.range.addEventListener("keydown", (event) => {
      if (event.key !== " ") return;
      event.preventDefault();
      this.#toggle();
    });
    parts.other.addEventListener("input", () => this.#compareWith(parts.other.valueAsNumber));
    parts.play.addEventListener("click", () => this.#toggle());
    parts.compare.addEventListener("click", () => this.#compare(!this.isComparing));
    parts.difference.addEventListener("change", () => this.#resay());
    parts["own-scale"].addEventListener("change", () => {
      this.#overview();
      this.#resay();
    });
    this.view.onUnit((unit) => this.#choose(unit));
    for (const each of [parts.track, parts.panels]) new ResizeObserver(() => this.#resize()).observe(each);
    onTheme(() => this.player.request());
    const look = throttle(() => store.follow(), 500);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) look();
    });
    // Whoever follows the events of the run tells them here; without, the list is looked at now and then.
    document.addEventListener("digitnet-run-events", ({ detail }) => {
      if (detail.some(({ type }) => STORED.includes(type))) look();
    });
  }

  #toggle() {
    if (this.player.isPlaying) this.player.pause();
    else this.player.play();
    this.isFollowing = false;
  }

  #compare(isComparing) {
    this.isComparing = isComparing;
    this.section.classList.toggle("is-comparing", isComparing);
    this.parts.compare.setAttribute("aria-pressed", isComparing);
    this.parts["other-slider"].hidden = this.parts["other-marker"].hidden = !isComparing;
    if (isComparing && this.other === this.player.target) this.other = this.other > 0 ? 0 : this.player.last;
    this.#resize();
    this.#resay();
  }

  #compareWith(index) {
    this.other = index;
    this.store.look(index);
    this.#resay();
  }

  #choose(unit) {
    this.unit = unit;
    this.view.mark(unit, this.isComparing);
    this.#overview();
  }

  // ------------------------------------------------------------ what comes from the server

  #listed() {
    const { parts, player, store } = this;
    const before = this.frames;
    this.frames = store.frames;
    parts.body.hidden = this.frames.length === 0;
    if (this.frames.length === 0) {
      const isToCome = "The first checkpoint is still to come.";
      return this.#notice(store.isAtWork ? isToCome : "No checkpoint of this run is stored.");
    }
    this.#notice(null);
    player.length = this.frames.length;
    for (const range of [parts.range, parts.other]) {
      range.max = player.last;
      range.disabled = this.frames.length < 2;
    }
    parts.play.disabled = this.frames.length < 2;
    parts.live.hidden = !store.isAtWork;
    if (before.length === 0) this.#begin();
    else {
      const at = this.#again(before[player.target]);
      this.other = this.#again(before[this.other]);
      if (!player.isPlaying && at !== player.target) player.go(at, true);
    }
    store.look(this.isFollowing ? player.last : player.target);
    this.#follow();
    this.#resize();
    this.#overview();
    this.#resay();
  }

  /** Goes where the address of the page says, or to the newest. */
  #begin() {
    const { last } = this.player;
    const [at, other] = fromAddress(this.frames);
    this.isFollowing = at < 0 || at === last;
    this.player.go(at < 0 ? last : at, true);
    this.other = Math.max(0, other);
    if (other >= 0) this.#compare(true);
  }

  /** Goes to the newest checkpoint when all of it is there, if that is what is wanted. */
  #follow() {
    this.section.dataset.complete = this.frames.filter(({ isComplete }) => isComplete).length; // for tests, as below
    if (!this.isFollowing || this.player.isPlaying) return;
    const newest = this.frames.findLastIndex((frame) => frame.isComplete);
    if (newest > this.player.target) this.player.go(newest);
  }

  /** Where a frame is now; if it is gone, the next one that is there. */
  #again(frame) {
    const same = this.frames.indexOf(frame);
    if (same >= 0 || frame === undefined) return Math.max(0, same);
    const { epoch, batch } = frame.info;
    const isBehind = ({ info }) => info.epoch > epoch || (info.epoch === epoch && info.batch >= batch);
    const next = this.frames.findIndex(isBehind);
    return next >= 0 ? next : this.frames.length - 1;
  }

  #fetched(frame) {
    this.view.add(frame);
    if (this.unit === null && frame.weights?.images > 0) {
      this.unit = strongest(frame.weights);
      this.#resize();
    }
    this.overviewSoon();
    this.#follow();
    this.#resay();
  }

  #read() {
    this.reading.tell(this.frames, nameOf);
    this.strip.show(this.frames);
    this.#follow();
    this.#resay();
  }

  #overview() {
    this.curve.show(this.frames);
    this.strip.show(this.frames);
    this.life.show(this.frames, this.unit, (weights) => this.view.limitOf(weights));
  }

  #notice(text, isBad = false) {
    this.parts.notice.hidden = text === null;
    this.parts.notice.textContent = text ?? "";
    this.parts.notice.classList.toggle("bad", isBad);
  }

  // ------------------------------------------------------------ painting

  #resize() {
    this.width = this.parts.range.clientWidth;
    const weights = this.frames.find((frame) => frame.weights?.images > 0)?.weights;
    if (weights !== undefined) {
      this.view.resize(weights.images, this.isComparing);
      this.view.mark(this.unit, this.isComparing);
    }
    this.#resay();
  }

  /** Says everything anew and paints. */
  #resay() {
    this.said = null;
    this.player.request();
  }

  /** One frame of the picture, between two checkpoints or exactly on one. */
  #paint(place) {
    const { frames } = this;
    if (frames.length === 0) return;
    const left = Math.min(Math.floor(place), frames.length - 1);
    const share = place - left;
    const from = frames[left];
    this.view.paint(from, share > 0 ? frames[left + 1] : from, share, this.isComparing ? frames[this.other] : null);
    this.parts.marker.style.transform = `translateX(${placeAt(place, frames.length, this.width)}px)`;
    const nearest = frames[Math.round(place)];
    if (nearest !== this.said) this.#say(nearest);
    if (this.player.isPlaying) this.#moveThumb();
    this.#settle(nearest);
  }

  #say(frame) {
    const { parts } = this;
    const { epochs } = this.store;
    const label = labelOf(frame, epochs);
    this.said = frame;
    parts.label.textContent = label;
    parts.range.setAttribute("aria-valuetext", label);
    this.#moveThumb();
    const other = this.isComparing ? this.frames[this.other] : null;
    const otherLabel = other === null ? "" : labelOf(other, epochs);
    if (other !== null) {
      if (parts.other.value !== String(this.other)) parts.other.value = String(this.other);
      parts.other.setAttribute("aria-valuetext", otherLabel);
      const x = placeAt(this.other, this.frames.length, this.width);
      parts["other-marker"].style.transform = `translateX(${x}px)`;
    }
    this.view.say(frame, label, other, otherLabel);
    this.life.mark(this.frames.indexOf(frame));
  }

  #moveThumb() {
    const at = String(Math.round(this.player.target));
    if (this.parts.range.value !== at) this.parts.range.value = at;
  }

  /** Tells (tests, and the address of the page) when what is shown is all there and no longer moves. */
  #settle(frame) {
    const isAtRest = this.player.place === this.player.target && !this.player.isPlaying;
    const shown = isAtRest && frame.isComplete ? frame.info.name : "";
    if (this.section.dataset.shown !== shown) this.section.dataset.shown = shown;
    if (shown === "") return;
    const other = this.isComparing ? this.frames[this.other] : null;
    keepInAddress(this.isFollowing && other === null ? null : frame, other);
  }

  #sayPlaying() {
    const { isPlaying, target, last } = this.player;
    const [sign, word] = this.parts.play.children;
    sign.textContent = isPlaying ? "❚❚" : "▶";
    word.textContent = isPlaying ? "Pause" : "Play";
    this.isFollowing = !isPlaying && target === last;
  }
}

const section = document.getElementById("timeline");
if (section?.dataset.run) mountTimeline(section, section.dataset.run);
