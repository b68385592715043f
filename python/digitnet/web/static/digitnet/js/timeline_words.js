// What checkpoints are called, in words and in the address of the page.

/** "epoch 3 of 10", as the slider says it; `epochs` null if it is not known how many there are to be. */
export function labelOf({ info: { epoch, batch } }, epochs) {
  const of = epochs === null ? "" : ` of ${epochs}`;
  return `epoch ${epoch}${of}${batch > 0 ? `, ${batch} batches further` : ""}`;
}

/** "epoch 3", within a sentence. */
export function nameOf({ info: { epoch, batch } }) {
  if (batch > 0) return `epoch ${epoch} and ${batch} batches`;
  return epoch === 0 ? "the start" : `epoch ${epoch}`;
}

/** Writes into the address of the page what is shown, so that it is there again after a reload; null: the newest. */
export function keepInAddress(frame, other) {
  const names = [frame, other].filter((each) => each !== null).map(({ info }) => info.name);
  const hash = frame === null ? "" : `#${names.join("+")}`;
  if (hash !== location.hash) history.replaceState(null, "", hash || location.pathname + location.search);
}

/** What the address says: the indices of the checkpoint shown and of the one compared with; -1 where it says none. */
export function fromAddress(frames) {
  const names = location.hash.slice(1).split("+");
  return [0, 1].map((i) => frames.findIndex(({ info }) => info.name === names[i]));
}
