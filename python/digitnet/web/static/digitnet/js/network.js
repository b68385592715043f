// The page Network: a drawing goes through the network, and all that is shown comes from the answer to it.
import { ask } from "./api.js";
import { onTheme } from "./colors.js";
import { byPart, byTest, toast } from "./dom.js";
import { SAMPLE, keepDrawing, keptDrawing, keptPicture } from "./drawing.js";
import { listModels, modelQuery, showProblem } from "./model_choice.js";
import { Diagram } from "./network_diagram.js";
import { EveryUnit } from "./network_every.js";
import { Inspector } from "./network_inspector.js";
import { Live } from "./network_live.js";
import { isSame, readAddress, writeAddress } from "./network_place.js";
import { SumCard } from "./network_sum.js";
import { Pad } from "./pad.js";

const RESTED = 450; // milliseconds without a change after which other units may take the places of those shown
const SHOWN = 10; // units of a layer

const HOW = byPart("how").textContent;
const OF_SAMPLE = "This 7 is a sample: draw your own.";
const NO_PICTURES = "No pictures here: this 7 is a sample.";

const state = {
  model: null,
  facts: null,
  shown: null, // units of each hidden layer, by their place; null before the first answer
  pinned: null, // {layer, unit}
  pointed: null,
  changes: new Map(), // "layer-unit" to its scale
};

const pad = new Pad(byTest("canvas"));
const diagram = new Diagram(byTest("network"), {
  onPoint: point,
  onPin: pin,
  onMore: (layer) => every.show(layer, true),
});
const sumCard = new SumCard(document.querySelector("[data-part=sum]"), byTest("network"));
const inspector = new Inspector(byTest("unit"), { onScale: scale, onPin: pin, onClose: close });
const every = new EveryUnit(document.querySelector("[data-part=every]"), { onPin: pin });
const live = new Live(request, paint, problem, sayRest);
let rest = null; // the timer after which the drawing has rested
let isOpening = false;

function request({ isRested }) {
  const changes = [...state.changes].map(([key, scale]) => ({ ...placeOf(key), scale }));
  const units = [state.pinned, state.pointed].filter((each) => each !== null);
  const shown = isRested || state.shown === null ? SHOWN : state.shown;
  return { ...pad.drawing, model: state.model, changes, shown, units };
}

const placeOf = (key) => {
  const [layer, unit] = key.split("-").map(Number);
  return { layer, unit };
};

function paint(answer) {
  byTest("problem").hidden = true;
  state.shown = placed(state.shown, answer.shown);
  if (makeRoom(state.pinned, answer)) live.ask();
  const sums = answer.units;
  const find = (place) => place && (sums.find((each) => isSame(each, place)) ?? null);
  const pointed = find(state.pointed);
  const pinned = find(state.pinned);
  diagram.paint(answer, { ...state, sum: pointed ?? pinned });
  sumCard.paint(pointed, state.facts, answer);
  inspector.live(pinned, answer);
  every.live(answer, state);
}

/** The units to show, each where it was; those that are new take the places that became free. */
function placed(before, now) {
  if (before === null) return now;
  return now.map((units, layer) => {
    const kept = before[layer].map((unit) => (units.includes(unit) ? unit : null));
    const fresh = units.filter((unit) => !before[layer].includes(unit));
    return kept.map((unit) => unit ?? fresh.shift());
  });
}

/** Takes the unit that is taken apart among those shown, in the place of the one that matters least. */
function makeRoom(pinned, answer) {
  const units = pinned && state.shown[pinned.layer];
  if (!units || units.includes(pinned.unit)) return false;
  const effect = new Map(
    answer.shown[pinned.layer].map((unit, index) => [unit, Math.abs(answer.effects[pinned.layer][index])]),
  );
  const least = units.reduce((a, b) => (effect.get(b) < effect.get(a) ? b : a));
  state.shown[pinned.layer] = units.map((unit) => (unit === least ? pinned.unit : unit));
  return true;
}

function problem(error) {
  showProblem(byTest("problem"), error);
}

// ------------------------------------------------------------------ what is done on the page

function point(place) {
  if (isSame(place, state.pointed)) return;
  state.pointed = place;
  diagram.point(place ?? state.pinned);
  sumCard.move(place && diagram.tile(place));
  live.ask();
}

function pin(place, { scroll = true } = {}) {
  state.pinned = isSame(place, state.pinned) ? null : place;
  diagram.pin(state.pinned);
  every.pin(state.pinned);
  sumCard.move(null);
  state.pointed = null;
  inspector.show(state.pinned, { model: state.model, facts: state.facts, changes: state.changes, scroll });
  if (state.pinned !== null && scroll && document.activeElement.matches(":focus-visible"))
    byTest("unit").focus({ preventScroll: true });
  writeAddress(state);
  live.ask();
}

function close() {
  const tile = diagram.tile(state.pinned);
  pin(null);
  tile?.focus();
}

function scale({ layer, unit }, value) {
  const key = `${layer}-${unit}`;
  if (value === 1) state.changes.delete(key);
  else if (state.changes.size < 64 || state.changes.has(key)) state.changes.set(key, value);
  else toast("64 units are changed; reset some first.", "bad");
  changed();
}

function changed() {
  const tag = byTest("changed");
  const number = state.changes.size;
  tag.hidden = number === 0;
  tag.textContent = number === 1 ? "1 unit changed" : `${number} units changed`;
  byTest("reset").hidden = number === 0;
  inspector.scales(state.changes);
  writeAddress(state);
  live.ask();
}

pad.addEventListener("change", () => {
  byPart("how").textContent = HOW;
  byTest("undo").disabled = !pad.canUndo;
  clearTimeout(rest);
  rest = setTimeout(rested, RESTED);
  sayRest();
  if (state.facts !== null) live.ask();
});

function rested() {
  rest = null;
  if (state.facts !== null) live.ask({ isRested: true });
  sayRest();
}

/** Tells (tests) whether all that is shown is that of the drawing, and nothing more comes by itself. */
function sayRest() {
  byTest("network").dataset.rested = rest === null && !live.isAsking && !isOpening;
}

pad.addEventListener("strokeend", () => keepDrawing(pad.drawing));
byTest("undo").addEventListener("click", () => pad.undo());
byTest("clear").addEventListener("click", () => pad.clear());
byTest("reset").addEventListener("click", () => {
  state.changes.clear();
  changed();
});
byTest("model").addEventListener("change", (event) => open(event.target.value));

onTheme(() => state.facts !== null && live.ask()); // pictures have the colours of the theme

// ------------------------------------------------------------------ models

async function open(model, { unit = null, changes = new Map() } = {}) {
  let facts;
  isOpening = true;
  sayRest();
  try {
    facts = await ask(`api/network${modelQuery(model)}`);
  } catch (error) {
    problem(error);
    return;
  } finally {
    isOpening = false;
    sayRest();
  }
  live.forget();
  Object.assign(state, { model: facts.model, facts, shown: null, pinned: null, pointed: null, changes });
  diagram.build(facts);
  every.build(facts);
  inspector.show(null, {});
  byTest("model").value = facts.model;
  const last = facts.sizes.length - 1;
  const isThere = (place, most) => place.layer < most && place.unit < facts.sizes[place.layer + 1];
  for (const key of changes.keys()) if (!isThere(placeOf(key), last - 1)) changes.delete(key);
  if (unit !== null && isThere(unit, last)) pin(unit, { scroll: false });
  changed();
}

const address = readAddress();
const kept = keptDrawing();
pad.open(kept ?? SAMPLE);
if (kept === null) byPart("how").textContent = keptPicture() === null ? OF_SAMPLE : NO_PICTURES;
await open(address.model, address);
listModels(byTest("model"), state.model);
