// What lies behind a reading: the image the network sees, the ink that spoke, the nearest other readings.
import { fillSquare, onTheme, paintSquare, rgb } from "./colors.js";
import { byPart, byTest, element, padded, percent } from "./dom.js";

const SIDE = 28;
const state = { image: new Array(SIDE * SIDE).fill(0), explanation: null };

const NOTHING = ["–", "–", "–"];
const rows = Array.from({ length: 3 }, () => {
  const cells = NOTHING.map((text, column) =>
    element("td", column === 0 ? { text } : { class: "number", text: padded(text, 7) }),
  );
  byTest("top-three").append(element("tr", {}, ...cells));
  return cells;
});

/** Shows the image of a new reading. What was explained of the one before goes. */
export function showSeen(image) {
  state.image = image;
  state.explanation = null;
  byTest("ink").hidden = true;
  paintSquare(byTest("seen"), image);
}

/** Shows why it was read so; null for an empty canvas. */
export function showExplanation(explanation) {
  state.explanation = explanation;
  const { digit, against, top, turned } = explanation ?? {};
  byPart("for").textContent = explanation ? `spoke for ${digit}` : "spoke for it";
  byPart("against").textContent = explanation ? `spoke for ${against}` : "spoke against it";
  const unknown = "A small change would make it another digit.";
  byTest("turned-words").textContent = explanation ? turnedWords(turned) : unknown;
  if (explanation && byTest("wanted").value === "") byTest("wanted").options[0].textContent = turned.wanted;
  rows.forEach((cells, index) => {
    const one = top?.[index];
    const texts = one ? [one.digit, percent(one.probability, 1), points(one.margin)] : NOTHING;
    cells.forEach((cell, column) => (cell.textContent = column === 0 ? texts[0] : padded(texts[column], 7)));
  });
  paint();
}

const points = (margin) => `${margin < 0 ? "−" : "+"}${Math.abs(100 * margin).toFixed(1)}`;

function turnedWords({ wanted, succeeded, added, erased, probability }) {
  if (added === 0 && erased === 0) return `It is read as a ${wanted} already.`;
  const change = `${added.toFixed(1)} pixels of ink more (blue) and ${erased.toFixed(1)} less (orange)`;
  if (!succeeded) return `Even with ${change} it would not be a ${wanted}, which then has ${percent(probability, 1)}.`;
  return `With ${change} it would be read as a ${wanted}, with ${percent(probability, 1)}.`;
}

function paint() {
  paintSquare(byTest("seen"), state.image);
  const { explanation } = state;
  const ink = byTest("ink");
  ink.hidden = explanation === null || !byTest("show-ink").checked;
  byTest("ink-legend").classList.toggle("soft", ink.hidden);
  if (explanation === null) {
    paintSquare(byTest("turned"), new Array(SIDE * SIDE).fill(0));
    return;
  }
  paintColours(ink, explanation.ink);
  paintColours(byTest("turned"), explanation.turned.change, explanation.turned.image, 1);
}

/** Signed numbers as colours, the stronger the less see-through: over an image, or to be laid over another canvas. */
function paintColours(canvas, values, image = null, most = Math.max(...values.map(Math.abs))) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(SIDE, SIDE);
  if (image !== null) fillSquare(picture, 0, 0, image, "ink", 255);
  const colours = [rgb("negative"), rgb("positive")];
  values.forEach((value, index) => {
    const weight = most > 0 ? Math.sqrt(Math.min(1, Math.abs(value) / most)) : 0; // so that faint ones are seen, too
    const end = colours[value > 0 ? 1 : 0];
    const share = image === null ? 1 : weight; // of the colour in the pixel
    const at = 4 * index;
    for (let channel = 0; channel < 3; channel++) {
      picture.data[at + channel] += (end[channel] - picture.data[at + channel]) * share;
    }
    if (image === null) picture.data[at + 3] = 255 * weight;
  });
  context.putImageData(picture, 0, 0);
}

byTest("show-ink").addEventListener("change", paint);
onTheme(paint);
