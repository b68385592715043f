// All that shows one checkpoint, or two: weight images, histograms, confusion, the reading, and numbers in words.
import { percent } from "./dom.js";
import { loss } from "./run_words.js";
import { Confusion, confusionWords } from "./timeline_confusion.js";
import { validationAccuracy, validationLoss } from "./timeline_curve.js";
import { Histograms } from "./timeline_histograms.js";
import { outline } from "./timeline_unit.js";
import { limitOfDifference, WeightImages } from "./timeline_weights.js";
import { nameOf } from "./timeline_words.js";

const HIGHEST_OF_TWO = 560; // CSS pixels of the weight images where two are compared

/** It is told what to show, and keeps nothing of where one is. */
export class View {
  /**
   * @param {Object<string, HTMLElement>} parts  of templates/digitnet/timeline.html, by data-timeline
   * @param {Reading} reading
   * @param {() => void} repaint  called where something has to be painted again
   */
  constructor(parts, reading, repaint) {
    this.parts = parts;
    this.reading = reading;
    this.images = new WeightImages(parts.images);
    this.otherImages = new WeightImages(parts["other-images"]);
    this.histograms = new Histograms(parts.histograms, repaint);
    this.confusion = new Confusion(parts.confusion);
    this.otherConfusion = new Confusion(parts["other-confusion"]);
    this.limit = 0; // the end of the colours, common to all checkpoints
    this.differenceLimit = 0;
  }

  get isOwnScale() {
    return this.parts["own-scale"].checked;
  }

  /** Calls f with the unit that is pressed. */
  onUnit(f) {
    for (const images of [this.images, this.otherImages]) {
      images.canvas.addEventListener("click", (event) => {
        const unit = images.unitAt(event);
        if (unit !== null) f(unit);
      });
    }
  }

  /** Takes in what was fetched of a checkpoint. */
  add(frame) {
    if (frame.weights?.limit > this.limit) this.limit = frame.weights.limit;
    this.histograms.add([frame]);
  }

  /** Fits the weight images of so many units into their place. */
  resize(count, isComparing) {
    const wide = this.parts.images.closest("figure").clientWidth;
    this.parts.unit.max = count - 1;
    this.images.resize(count, wide, isComparing ? HIGHEST_OF_TWO : undefined);
    if (isComparing) this.otherImages.resize(count, wide, HIGHEST_OF_TWO);
  }

  /** Shows which unit is chosen. */
  mark(unit, isComparing) {
    outline(this.parts.outline, this.images, unit);
    outline(this.parts["other-outline"], this.otherImages, isComparing ? unit : null);
  }

  /** Where the colours of a checkpoint end. */
  limitOf(weights) {
    return this.isOwnScale ? weights.limit : this.limit;
  }

  /** Paints what is between two checkpoints, and beside it another one, or null. */
  paint(from, to, share, other) {
    const a = from.weights ?? to.weights;
    const b = to.weights ?? from.weights;
    const c = other?.weights ?? null;
    if (from.problem !== null) this.images.clear();
    else if (a?.images > 0) {
      this.images.paint(a, 1 - share, b, share, a, 0, this.limitOf(a) * (1 - share) + this.limitOf(b) * share);
    }
    if (c === null || !(a?.images > 0)) this.otherImages.clear();
    else if (this.parts.difference.checked) {
      this.otherImages.paint(c, 1, a, share - 1, b, -share, this.differenceLimit);
    } else this.otherImages.paint(c, 1, c, 0, c, 0, this.limitOf(c));
    this.histograms.paint(a, b, share, c);
    this.reading.paint(from.reading, to.reading, share, other?.reading ?? null);
  }

  /** Says all there is to say of a checkpoint, and of another one or null. */
  say(frame, label, other, otherLabel) {
    const { parts } = this;
    const { weights, confusion, info, problem } = frame;
    const isMeasured = validationLoss(frame) !== null || info.training_loss === null;
    const kind = isMeasured ? "validation" : "training";
    parts["accuracy-name"].textContent = `${kind} accuracy`;
    parts["loss-name"].textContent = `${kind} loss`;
    parts.accuracy.textContent = percent(validationAccuracy(frame) ?? info.training_accuracy);
    parts.loss.textContent = loss(validationLoss(frame) ?? info.training_loss);
    parts.best.hidden = !info.best;
    this.confusion.show(confusion, `after ${label}`);
    parts["confusion-words"].textContent = confusionWords(problem === null ? confusion : { problem });
    this.histograms.say(weights, `after ${label}`);
    this.reading.say(frame.reading);
    this.#sayWeights(frame, label);
    if (other !== null) this.#sayOther(frame, label, other, otherLabel);
  }

  #sayWeights({ weights, problem }, label) {
    const { parts } = this;
    const hasNone = weights !== null && weights.images === 0;
    const why = problem ?? (hasNone ? "The first layer does not take pictures of 28 x 28." : null);
    parts["no-images"].hidden = why === null;
    parts["no-images"].textContent = why ?? "";
    parts.images.classList.toggle("is-waiting", weights === null && problem === null);
    parts["weights-legend"].hidden = parts.life.hidden = hasNone;
    if (weights === null || hasNone) return;
    const limit = this.limitOf(weights).toPrecision(2);
    parts.low.textContent = `−${limit}`;
    parts.high.textContent = `+${limit}`;
    const { images, units } = weights;
    parts.units.textContent = images < units ? `the first ${images} of ${units} units` : `all ${units} units`;
    parts.images.setAttribute("aria-label", `Weight images of ${images} units after ${label}`);
  }

  #sayOther(frame, label, other, otherLabel) {
    const { parts } = this;
    const both = frame.weights !== null && other.weights !== null;
    const isOwn = both && this.isOwnScale;
    this.differenceLimit = isOwn ? limitOfDifference(frame.weights, other.weights) || 1e-9 : this.limit;
    const difference = `${nameOf(other)} less ${nameOf(frame)}, to ±${this.differenceLimit.toPrecision(2)}`;
    const isDifference = parts.difference.checked;
    parts["panel-name"].textContent = label;
    parts["other-panel-name"].textContent = isDifference ? difference : otherLabel;
    parts["other-images"].setAttribute("aria-label", isDifference ? difference : `Weight images after ${otherLabel}`);
    parts["other-name"].textContent = otherLabel;
    parts["confusion-name"].textContent = `${label}: ${percent(frame.confusion?.accuracy)} right`;
    parts["other-confusion-name"].textContent = `${otherLabel}: ${percent(other.confusion?.accuracy)} right`;
    this.otherConfusion.show(other.confusion, `after ${otherLabel}`);
  }
}
