// The timeline of a training: one slider through the checkpoints that were stored, and all that moves with it.
import { percent, throttle } from "./dom.js";
import { Confusion, confusionWords } from "./timeline_confusion.js";
import { Curve, validationAccuracy, validationLoss } from "./timeline_curve.js";
import { Histograms } from "./timeline_histograms.js";
import { frameLog, Player } from "./timeline_player.js";
import { Reading } from "./timeline_reading.js";
import { Store } from "./timeline_store.js";
import { placeAt, Strip } from "./timeline_strip.js";
import { outline, strongest, UnitLife } from "./timeline_unit.js";
import { limitOf, WeightImages } from "./timeline_weights.js";
import { onTheme } from "./colors.js";

export { frameLog };

const HIGHEST_OF_TWO = 560; // CSS pixels of the weight images where two are compared
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
    this.section = section;
    this.parts = Object.fromEntries([...section.querySelectorAll("[data-timeline]")].map((each) => [each.dataset.timeline, each]));
    this.other = 0; // what is compared with
    this.isComparing = false;
    this.isFollowing = true; // new checkpoints are gone to as they come
    this.said = null; // the Frame that all words are about
    this.unit = null;
    this.limit = 0; // of all checkpoints
    this.differenceLimit = 0;
    this.width = 0; // of the slider

    const { parts } = this;
    this.store = new Store(runId);
    this.player = new Player({ paint: (place) => this.#paint(place), onState: () => this.#sayPlaying() });
    this.images = new WeightImages(parts.images);
    this.otherImages = new WeightImages(parts["other-images"]);
    this.histograms = new Histograms(parts.histograms, () => this.#repaint());
    this.confusion = new Confusion(parts.confusion);
    this.otherConfusion = new Confusion(parts["other-confusion"]);
    this.reading = new Reading(parts, (drawing) => this.store.read(drawing));
    this.strip = new Strip(parts.strip, (index) => this.go(index));
    this.curve = new Curve(parts.curve);
    this.life = new UnitLife(parts, { onUnit: (unit) => this.#choose(unit), onPick: (index) => this.go(index) });
    this.store.drawing = this.reading.drawing;
    this.refreshOverview = throttle(() => this.#overview(), 150);
    this.#listen();
    this.store.follow();
  }

  get frames() {
    return this.store.frames;
  }

  /** Goes to a checkpoint. */
  go(index) {
    this.player.pause();
    this.player.go(index);
    this.isFollowing = index === this.player.last;
    this.store.look(index);
    this.#place();
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
    for (const each of [parts["own-scale"], parts.difference]) each.addEventListener("change", () => this.#resay());
    for (const [images, canvas] of [[this.images, parts.images], [this.otherImages, parts["other-images"]]]) {
      canvas.addEventListener("click", (event) => this.#choose(images.unitAt(event) ?? this.unit));
    }
    new ResizeObserver(() => this.#resize()).observe(parts.track);
    new ResizeObserver(() => this.#resize()).observe(parts.panels);
    onTheme(() => this.#repaint());
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
    if (isComparing && this.other === Math.round(this.player.target)) this.other = this.other > 0 ? 0 : this.player.last;
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
    this.#outlines();
    this.#overview();
  }

  // ------------------------------------------------------------ what comes from the server

  #listed() {
    const { frames, parts, player } = this;
    const at = this.#again(this.shownFrames?.[Math.round(player.target)]);
    const other = this.#again(this.shownFrames?.[this.other]);
    const isFirst = this.shownFrames === undefined || this.shownFrames.length === 0;
    this.shownFrames = frames;
    parts.body.hidden = frames.length === 0;
    if (frames.length === 0) {
      return this.#notice(this.store.isAtWork ? "The first checkpoint is still to come." : "No checkpoint of this run is stored.");
    }
    this.#notice(null);
    player.length = frames.length;
    for (const range of [parts.range, parts.other]) {
      range.max = player.last;
      range.disabled = frames.length < 2;
    }
    parts.play.disabled = frames.length < 2;
    parts.live.hidden = !this.store.isAtWork;
    this.other = other;
    if (isFirst) player.go(player.last, true);
    else if (!player.isPlaying && at !== player.target) player.go(at, true);
    this.store.look(this.isFollowing ? player.last : player.target);
    this.#follow();
    this.#resize();
    this.#overview();
    this.#resay();
  }

  /** Goes to the newest checkpoint when all of it is there, if that is what is wanted. */
  #follow() {
    if (!this.isFollowing || this.player.isPlaying) return;
    const newest = this.frames.findLastIndex((frame) => frame.isComplete);
    if (newest > this.player.target) this.player.go(newest);
  }

  /** Where a frame is now; where it would be, if it is gone. */
  #again(frame) {
    if (frame === undefined) return 0;
    const same = this.frames.indexOf(frame);
    if (same >= 0) return same;
    const { epoch, batch } = frame.info;
    const next = this.frames.findIndex(({ info }) => info.epoch > epoch || (info.epoch === epoch && info.batch >= batch));
    return next >= 0 ? next : this.frames.length - 1;
  }

  #fetched(frame) {
    if (frame.weights?.limit > this.limit) this.limit = frame.weights.limit;
    this.unit ??= frame.weights?.images > 0 ? strongest(frame.weights) : null;
    this.histograms.add([frame]);
    if (this.images.count === 0) this.#resize();
    this.refreshOverview();
    this.#follow();
    this.#resay();
  }

  #read() {
    this.#follow();
    this.reading.tell(this.frames, (frame) => this.#nameOf(frame));
    this.strip.show(this.frames);
    this.#resay();
  }

  #overview() {
    this.curve.show(this.frames);
    this.strip.show(this.frames);
    this.life.show(this.frames, this.unit, (weights) => this.#limitOf(weights));
  }

  #notice(text, isBad = false) {
    this.parts.notice.hidden = text === null;
    this.parts.notice.textContent = text ?? "";
    this.parts.notice.classList.toggle("bad", isBad);
  }

  // ------------------------------------------------------------ painting

  #resize() {
    const { parts } = this;
    this.width = parts.range.clientWidth;
    const weights = this.frames.find((frame) => frame.weights !== null)?.weights;
    if (weights?.images > 0) {
      const wide = parts.images.closest("figure").clientWidth;
      parts.unit.max = weights.images - 1;
      this.images.resize(weights.images, wide, this.isComparing ? HIGHEST_OF_TWO : undefined);
      if (this.isComparing) this.otherImages.resize(weights.images, wide, HIGHEST_OF_TWO);
      this.#outlines();
    }
    this.#repaint();
  }

  #outlines() {
    outline(this.parts.outline, this.images, this.unit);
    outline(this.parts["other-outline"], this.otherImages, this.isComparing ? this.unit : null);
  }

  #repaint() {
    this.player?.request();
  }

  /** Says everything anew and paints. */
  #resay() {
    this.said = null;
    this.player.request();
  }

  #limitOf(weights) {
    return this.parts["own-scale"].checked ? weights.limit : this.limit;
  }

  /** One frame of the picture, between two checkpoints or exactly on one. */
  #paint(place) {
    const { frames, isComparing } = this;
    if (frames.length === 0) return;
    const left = Math.min(Math.floor(place), frames.length - 1);
    const share = place - left;
    const from = frames[left];
    const to = share > 0 ? frames[left + 1] : from;
    const other = isComparing ? frames[this.other] : null;
    const a = from.weights ?? to.weights;
    const b = to.weights ?? from.weights;
    if (a?.images > 0) {
      const limit = this.#limitOf(a) * (1 - share) + this.#limitOf(b) * share;
      this.images.paint(a, 1 - share, b, share, a, 0, limit);
      const c = other?.weights ?? null;
      if (c === null) this.otherImages.clear();
      else if (this.parts.difference.checked) this.otherImages.paint(c, 1, a, share - 1, b, -share, this.differenceLimit);
      else this.otherImages.paint(c, 1, c, 0, c, 0, this.#limitOf(c));
    } else if (from.problem !== null) this.images.clear();
    this.histograms.paint(a, b, share, other?.weights ?? null);
    this.reading.paint(from.reading, to.reading, share, other?.reading ?? null);
    this.parts.marker.style.transform = `translateX(${placeAt(place, frames.length, this.width)}px)`;
    const nearest = frames[Math.round(place)];
    if (nearest !== this.said) this.#say(nearest);
    if (this.player.isPlaying) this.#place();
    this.#settle(nearest);
  }

  /** Moves the thumb where the player is. */
  #place() {
    const at = String(Math.round(this.player.target));
    if (this.parts.range.value !== at) this.parts.range.value = at;
  }

  /** Tells (also to tests) when what is shown is all there and no longer moves. */
  #settle(frame) {
    const shown = this.player.place === this.player.target && frame.isComplete ? frame.info.name : "";
    if (this.section.dataset.shown !== shown) this.section.dataset.shown = shown;
    this.parts.images.classList.toggle("is-waiting", frame.weights === null);
  }

  // ------------------------------------------------------------ words

  #nameOf({ info: { epoch, batch } }) {
    return batch > 0 ? `epoch ${epoch} and ${batch} batches` : epoch === 0 ? "the start" : `epoch ${epoch}`;
  }

  #labelOf({ info: { epoch, batch } }) {
    const of = this.store.epochs === null ? "" : ` of ${this.store.epochs}`;
    return `epoch ${epoch}${of}${batch > 0 ? `, ${batch} batches further` : ""}`;
  }

  #say(frame) {
    const { parts } = this;
    this.said = frame;
    const label = this.#labelOf(frame);
    const { weights, confusion, info } = frame;
    parts.label.textContent = label;
    parts.best.hidden = !info.best;
    parts.range.setAttribute("aria-valuetext", label);
    this.#place();
    parts.accuracy.textContent = percent(validationAccuracy(frame) ?? info.training_accuracy);
    parts.loss.textContent = (validationLoss(frame) ?? info.training_loss)?.toFixed(4) ?? "–";
    const isMeasured = validationLoss(frame) !== null || info.training_loss === null;
    parts["accuracy-name"].textContent = isMeasured ? "validation accuracy" : "training accuracy";
    parts["loss-name"].textContent = isMeasured ? "validation loss" : "training loss";
    this.confusion.show(confusion, `after ${label}`);
    parts["confusion-words"].textContent = confusionWords(frame.problem === null ? confusion : { problem: frame.problem });
    this.histograms.say(weights, `after ${label}`);
    this.reading.say(frame.reading);
    this.#sayWeights(frame, label);
    if (this.isComparing) this.#sayOther(frame);
  }

  #sayWeights({ weights, problem }, label) {
    const { parts } = this;
    const why = problem ?? (weights !== null && weights.images === 0 ? "The first layer does not take pictures of 28 x 28." : null);
    parts["no-images"].hidden = why === null;
    parts["no-images"].textContent = why ?? "";
    if (weights === null) return;
    const limit = this.#limitOf(weights).toPrecision(2);
    parts.low.textContent = `−${limit}`;
    parts.high.textContent = `+${limit}`;
    parts.units.textContent = weights.images < weights.units ? `the first ${weights.images} of ${weights.units} units` : `all ${weights.units} units`;
    parts.images.setAttribute("aria-label", `Weight images of ${weights.images} units after ${label}`);
  }

  #sayOther(frame) {
    const { parts } = this;
    const other = this.frames[this.other];
    const name = this.#labelOf(other);
    const isDifference = parts.difference.checked;
    if (parts.other.value !== String(this.other)) parts.other.value = String(this.other);
    parts.other.setAttribute("aria-valuetext", name);
    parts["other-marker"].style.transform = `translateX(${placeAt(this.other, this.frames.length, this.width)}px)`;
    const both = frame.weights !== null && other.weights !== null;
    this.differenceLimit = both && parts["own-scale"].checked ? limitOf(frame.weights, other.weights) || 1e-9 : this.limit;
    parts["panel-name"].textContent = this.#labelOf(frame);
    parts["other-name"].textContent = name;
    parts["confusion-name"].textContent = `${this.#labelOf(frame)}: ${percent(frame.confusion?.accuracy)} right`;
    parts["other-confusion-name"].textContent = `${name}: ${percent(other.confusion?.accuracy)} right`;
    parts["other-panel-name"].textContent = isDifference
      ? `${this.#nameOf(other)} less ${this.#nameOf(frame)}, to ±${this.differenceLimit.toPrecision(2)}`
      : name;
    this.otherConfusion.show(other.confusion, `after ${name}`);
    const what = isDifference ? "What changed in the weights between the two" : `Weight images after ${name}`;
    parts["other-images"].setAttribute("aria-label", what);
  }

  #sayPlaying() {
    const { isPlaying } = this.player;
    const [sign, word] = this.parts.play.children;
    sign.textContent = isPlaying ? "❚❚" : "▶";
    word.textContent = isPlaying ? "Pause" : "Play";
    this.isFollowing = !isPlaying && this.player.target === this.player.last;
  }
}

const section = document.getElementById("timeline");
if (section?.dataset.run) mountTimeline(section, section.dataset.run);
