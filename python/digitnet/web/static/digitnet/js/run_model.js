// A run as a page knows it: what the server said of it, and the events since folded in.

const MOST_BATCHES = 1000;
const MOST_EPOCHS = 2000;
const MOST_MESSAGES = 100;

/** Losses of batches along the training: whenever there are too many, every second one goes, as on the server. */
class Batches {
  constructor({ at = [], loss = [], learning_rate = [], every = 1 } = {}) {
    this.at = [...at];
    this.loss = [...loss];
    this.rate = [...learning_rate];
    this.every = every;
    this.count = 0;
  }

  add(event) {
    this.count += 1;
    if (this.count % this.every !== 0) return;
    this.at.push(event.epoch - 1 + event.batch / Math.max(event.batches, 1));
    this.loss.push(event.loss);
    this.rate.push(event.learning_rate);
    if (this.at.length <= MOST_BATCHES) return;
    const isKept = (_, i) => i % 2 === 0;
    for (const name of ["at", "loss", "rate"]) this[name] = this[name].filter(isKept);
    this.every *= 2;
  }

  /** What comes behind this place is done again. */
  cut(place) {
    let kept = this.at.length;
    while (kept > 0 && this.at[kept - 1] > place) kept -= 1;
    for (const name of ["at", "loss", "rate"]) this[name].length = kept;
  }
}

/** What is known of a run. */
export class RunModel {
  /** @param {object} detail  as GET /api/runs/<id> gives it */
  constructor(detail) {
    this.info = detail;
    this.state = detail.state;
    this.seq = detail.seq;
    this.epochs = new Map(detail.history.map((epoch) => [epoch.epoch, epoch]));
    this.batches = new Batches(detail.batches);
    this.batch = detail.state === "running" ? detail.batch : null;
    this.layers = detail.layers;
    this.messages = [...detail.messages];
    this.changes = [...detail.learning_rate_changes];
    this.kept = detail.checkpoints.find((each) => each.best)?.epoch; // epoch of the best checkpoint
    this.epoch = detail.epoch ?? 0;
    this.planned = detail.epochs ?? 0;
    this.share = detail.share ?? 0;
    this.speed = detail.images_per_second;
    this.secondsLeft = detail.seconds_left;
    this.seconds = detail.seconds ?? 0;
    this.begin = null; // where and when this part of the training was first seen: {share, time}
    this.firstBatch = null; // of the epoch in work
    this.samples = null; // of a batch
  }

  /** Takes in events in their order. Returns whether a training has begun or ended in them: then more is another. */
  add(events) {
    for (const event of events) {
      this.seq = event.seq;
      this[`_${event.type}`]?.(event);
    }
    return events.some((event) => event.type === "start" || event.type === "end");
  }

  /** The epoch last done. */
  get last() {
    return this.epochs.get(this.epoch) ?? null;
  }

  /** The epoch of the best checkpoint; null without any. */
  get best() {
    return this.epochs.get(this.kept) ?? null;
  }

  _start(event) {
    this.state = "running";
    this.planned = event.epochs;
    this.epoch = event.epoch;
    this.samples = event.samples / Math.max(event.batches, 1);
    const place = event.epoch + event.batch / Math.max(event.batches, 1);
    this.batches.cut(place);
    this.batch = this.firstBatch = this.begin = null;
    this.#move(place, event.time);
  }

  _batch(event) {
    this.batches.add(event);
    this.batch = event;
    this.epoch = event.epoch - 1;
    this.firstBatch ??= event;
    const seconds = event.time - this.firstBatch.time;
    const size = this.samples ?? event.samples ?? 0;
    if (seconds > 0 && size) this.speed = ((event.batch - this.firstBatch.batch) * size) / seconds;
    this.#move(event.epoch - 1 + event.batch / Math.max(event.batches, 1), event.time);
  }

  _epoch(event) {
    const { layers, ...epoch } = event;
    this.epochs.set(event.epoch, epoch);
    if (this.epochs.size > MOST_EPOCHS) this.epochs.delete(this.epochs.keys().next().value);
    this.layers = layers ?? [];
    this.epoch = event.epoch;
    this.batch = this.firstBatch = null;
    this.speed = event.images_per_second ?? this.speed;
    this.#move(event.epoch, event.time);
  }

  _checkpoint(event) {
    if (event.best) this.kept = event.epoch;
  }

  _learning_rate(event) {
    this.changes.push(event);
  }

  _message(event) {
    this.messages.push(event);
    if (this.messages.length > MOST_MESSAGES) this.messages.shift();
  }

  /** How far it is, and by the speed since it was first seen how long it will take. */
  #move(place, time) {
    this.share = this.planned > 0 ? Math.min(place / this.planned, 1) : 0;
    if (this.begin === null) this.begin = { place, time, seconds: this.seconds };
    const done = place - this.begin.place;
    this.seconds = this.begin.seconds + time - this.begin.time;
    if (done > 0) this.secondsLeft = (Math.max(this.planned - place, 0) / done) * (time - this.begin.time);
  }
}
