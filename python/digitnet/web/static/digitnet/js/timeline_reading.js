// What the checkpoints read in your own drawing: the pad, ten bars for the one that is shown, and the story of all.
import { element, percent, throttle } from "./dom.js";
import { currentDrawing, keepDrawing } from "./drawing.js";
import { Pad } from "./pad.js";

const PAUSE = 120; // milliseconds from one reading to the next while somebody draws
const WORDS = {
  digit: (digit) => `reads a ${digit}`,
  unsure: (digit) => `unsure, perhaps a ${digit}`,
  not_a_digit: () => "says it is no digit",
  empty: () => "nothing is drawn",
};

/** Pad, bars and words. `onDrawing(drawing)` is called for every drawing that is to be read. */
export class Reading {
  constructor({ pad, clear, bars, digits, digit, status, story }, onDrawing) {
    this.parts = { digit, status, story, digits };
    this.pad = new Pad(pad);
    this.pad.open(currentDrawing());
    const read = throttle(() => onDrawing(this.pad.drawing), PAUSE);
    this.pad.addEventListener("change", read);
    this.pad.addEventListener("strokeend", () => {
      keepDrawing(this.pad.drawing);
      read();
    });
    clear.addEventListener("click", () => this.pad.clear());
    this.rows = [...Array(10).keys()].map((each) => {
      const bar = element("span", { class: "timeline-bar" });
      const other = element("span", { class: "timeline-bar other" });
      const number = element("span", { class: "number", data: { testid: `reading-${each}` } });
      const name = element("span", { class: "number timeline-bar-digit", text: each });
      bars.append(element("div", {}, name, element("span", { class: "timeline-bar-place" }, bar, other), number));
      digits.append(element("span", { class: "number", text: each }));
      return { bar, other, number, share: -1, otherShare: -1, text: "" };
    });
  }

  get drawing() {
    return this.pad.drawing;
  }

  /** Shows what is between two checkpoints; `other` is that of the comparison. Null where nothing is known. */
  paint(a, b, share, other) {
    for (let digit = 0; digit < 10; digit++) {
      const row = this.rows[digit];
      const from = a?.probabilities?.[digit] ?? 0;
      const to = b?.probabilities?.[digit] ?? 0;
      const now = from + (to - from) * share;
      if (row.share !== now) {
        row.share = now;
        row.bar.style.transform = `scaleX(${now})`;
      }
      const behind = other?.probabilities?.[digit] ?? 0;
      if (row.otherShare !== behind) {
        row.otherShare = behind;
        row.other.style.transform = `scaleX(${behind})`;
      }
    }
  }

  /** Says what one checkpoint reads, exactly. */
  say(reading) {
    this.rows.forEach((row, digit) => {
      const share = reading?.probabilities?.[digit];
      const text = share === undefined ? "–" : percent(share, 1);
      if (row.text !== text) row.number.textContent = row.text = text;
    });
    const { digit, status, digits } = this.parts;
    const isRead = reading?.status === "digit" || reading?.status === "unsure";
    digit.textContent = isRead ? reading.digit : "";
    digit.classList.toggle("is-unsure", reading?.status !== "digit");
    status.textContent = reading === null ? "" : WORDS[reading.status](reading.digit);
    [...digits.children].forEach((each, index) => each.classList.toggle("is-read", isRead && reading.digit === index));
  }

  /** Says since when the drawing is read as at last. */
  tell(frames, nameOf) {
    const read = frames.filter((frame) => frame.reading !== null && frame.reading.digit !== null);
    const last = read.at(-1)?.reading;
    if (last === undefined || last.status === "empty") {
      this.parts.story.textContent = "Draw a digit: every checkpoint reads it.";
      return;
    }
    const firstOther = read.findLastIndex((frame) => frame.reading.digit !== last.digit);
    const since = read[firstOther + 1];
    const all = `All ${read.length} checkpoints tend to ${last.digit}.`;
    this.parts.story.textContent = firstOther < 0 ? all : `Tends to ${last.digit} from ${nameOf(since)} on.`;
  }
}
