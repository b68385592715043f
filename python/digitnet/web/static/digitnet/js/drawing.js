// The drawing that all pages share: what was drawn last, in this browser. On Draw it can be a picture instead.

const KEY = "digitnet-drawing";

/** Keeps a drawing ({strokes, width, height, brush}) for the other pages, or a picture ({image}, a data URL). */
export function keepDrawing(drawing) {
  try {
    localStorage.setItem(KEY, JSON.stringify(drawing));
  } catch {
    // storage is full or switched off: the other pages begin with their own
  }
}

/** The drawing kept, or null. */
export function keptDrawing() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    const isPoint = ([x, y]) => Number.isFinite(x) && Number.isFinite(y);
    return kept.strokes.length > 0 && kept.strokes.every((stroke) => stroke.every(isPoint)) ? kept : null;
  } catch {
    return null; // nothing, or nothing of ours
  }
}

/** The data URL of the picture kept, or null. */
export function keptPicture() {
  try {
    return JSON.parse(localStorage.getItem(KEY)).image ?? null;
  } catch {
    return null; // nothing, or nothing of ours
  }
}

/** A 7, for pages that have nothing of yours to show yet. */
export const SAMPLE = {
  strokes: [
    [
      [120, 110],
      [190, 108],
      [275, 104],
      [250, 165],
      [220, 235],
      [195, 310],
    ],
  ],
  width: 400,
  height: 400,
  brush: 26,
};

/** The drawing kept, else the sample. */
export const currentDrawing = () => keptDrawing() ?? SAMPLE;
