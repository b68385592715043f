// The page Data: what is chosen, asked for and shown. The choice is in the address, so that it can be kept and sent.
import { ask } from "./api.js";
import { onTheme, paintSquare } from "./colors.js";
import { Augmentation } from "./data_augment.js";
import { Coverage, showReliability } from "./data_charts.js";
import { controls, filter, keepAddress, offerClasses, offerParts, setFilter, takeAddress } from "./data_choices.js";
import { showConfusion } from "./data_confusion.js";
import { Detail } from "./data_detail.js";
import { ImageGrid } from "./data_grid.js";
import { EVERYTHING, Readings, STATUSES, Samples, bytesOf, select } from "./data_set.js";
import { byTest, count, element, isReducedMotion, percent, throttle } from "./dom.js";

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const SET_NAMES = { mnist: "MNIST", "fashion-mnist": "Fashion-MNIST" };

let samples = null;
let readings = null;
let sets = null;
let models = [];
let going = null; // what is being asked for; a new choice ends it

const describe = (index) => {
  const label = samples.classes[samples.labels[index]];
  if (readings === null) return `Image ${index}: ${label}`;
  const said = { unsure: ", says it is unsure", not_a_digit: ", says it is no digit", empty: ", says it is empty" }[STATUSES[readings.status[index]]] ?? "";
  return `Image ${index}: ${label}, read as ${samples.classes[readings.predicted[index]]}, ${percent(readings.confidence[index], 1)} sure${said}`;
};
const note = (index) => {
  const label = samples.classes[samples.labels[index]];
  if (readings === null || readings.predicted[index] === samples.labels[index]) return [label, false];
  return [`${label} → ${samples.classes[readings.predicted[index]]}`, true];
};
const chosenModel = () => controls.model.value;

const detail = new Detail(byTest("detail"), {
  model: chosenModel,
  onAugment: (index) => {
    augmentation.setImage(index);
    jump("augmentation");
  },
});
const gridAt = (place, caption, label, empty) => {
  const grid = new ImageGrid(place, {
    label,
    empty,
    describe,
    note,
    onOpen: (index) => detail.open(samples, index, grid),
    onMove: (text) => (part(caption).textContent = text || "\u00a0"),
  });
  return grid;
};
const images = gridAt(byTest("images"), "browse-caption", "Images of the set");
const mistakes = gridAt(byTest("misclassified"), "mistakes-caption", "Images read wrongly", "No mistakes.");
const augmentation = new Augmentation(document.getElementById("augmentation"), chosenModel);
const coverage = new Coverage({
  place: part("coverage"),
  slider: byTest("coverage-slider"),
  share: part("share"),
  answer: byTest("coverage-answer"),
  counts: byTest("coverage-counts"),
});

// ---------------------------------------------------------------- where to look

function jump(id) {
  const place = document.getElementById(id);
  place.scrollIntoView({ behavior: isReducedMotion() ? "auto" : "smooth", block: "start" });
}

function browse(values) {
  setFilter(values);
  showImages();
  jump("browse");
  images.focus();
}

// ---------------------------------------------------------------- what is shown

function showImages() {
  keepAddress();
  if (samples === null) return;
  const found = select(samples, readings, filter());
  byTest("matches").textContent = `${count(found.length)} of ${count(samples.count)} images`;
  images.set(samples, found);
}

function showMistakes() {
  const sort = byTest("mistakes-sort").value;
  const found = readings === null ? [] : select(samples, readings, { ...EVERYTHING, says: "wrong", sort });
  mistakes.set(samples, found, { isWaiting: readings === null });
  part("mistakes-count").textContent = readings === null ? "\u00a0" : `${count(found.length)} of ${count(samples.count)} images are read as something else than their label.`;
}

const nameOf = (set) => SET_NAMES[set] ?? set;

function showFigures() {
  const figures = { samples: samples && count(samples.count) };
  if (readings !== null) {
    figures.accuracy = percent(readings.accuracy);
    figures.wrong = count((1 - readings.accuracy) * readings.samples);
    figures.unsure = count(readings.statuses.unsure);
    figures.not_a_digit = count(readings.statuses.not_a_digit);
  }
  for (const place of document.querySelectorAll("[data-figure]")) place.textContent = figures[place.dataset.figure] ?? "–";
  const used = models.find((model) => (chosenModel() ? model.id === chosenModel() : model.active));
  const isStrange = used && samples && samples.dataset !== "personal" && used.learned_from.length > 0 && !used.learned_from.includes(samples.dataset);
  const strange = part("strange");
  strange.hidden = !isStrange;
  if (isStrange) strange.textContent = `This model learned from ${nameOf(used.learned_from[0])}, not from ${nameOf(samples.dataset)}. What it says here shows how it takes what it has never seen.`;
}

function showReadings() {
  showFigures();
  showMistakes();
  coverage.set(readings?.coverage.accuracy ?? null, samples.count);
  byTest("ece").textContent = readings === null ? "–" : percent(readings.expected_calibration_error);
  if (readings === null) return;
  showConfusion(byTest("confusion"), readings.confusion, samples.classes, (label, read) => browse({ label, read }));
  showReliability(part("reliability"), part("reliability-table"), readings.reliability);
}

let averages = null;

async function loadAverages() {
  const wanted = samples;
  const answer = await ask(`${wanted.path}/averages`);
  if (samples !== wanted) return;
  averages = bytesOf(answer.averages);
  const buttons = wanted.classes.map((name, digit) => {
    const canvas = element("canvas", { class: "pixels", width: 28, height: 28, "aria-hidden": "true" });
    const total = element("span", { class: "number small soft", text: count(answer.class_counts[digit]) });
    return element("button", { type: "button", class: "average", on: { click: () => browse({ label: digit }) } }, canvas, element("span", { text: name }), total);
  });
  byTest("averages").replaceChildren(...buttons);
  paintAverages();
}

function paintAverages() {
  if (averages === null) return;
  byTest("averages").querySelectorAll("canvas").forEach((canvas, i) => paintSquare(canvas, averages.subarray(i * 784, (i + 1) * 784)));
}

function showAbsent(error) {
  part("present").hidden = true;
  part("absent").hidden = false;
  const isPersonal = controls.set.value === "personal";
  const isMissing = error.code === "no_data";
  part("absent-title").textContent = !isMissing ? "That did not work" : isPersonal ? "Your own set is empty" : "This data set is not here yet";
  part("absent-message").textContent = isMissing && !isPersonal ? `${error.message.split(";")[0]}. Get it with this command, then look again:` : error.message;
  part("absent-command").hidden = isPersonal && isMissing;
  part("absent-command").querySelector("code").textContent = isMissing ? `digitnet fetch ${controls.set.value}` : "";
  part("absent-command").querySelector("code").hidden = !isMissing;
  part("absent-link").hidden = !isPersonal || !isMissing;
}

// ---------------------------------------------------------------- what is asked for

/** Labels and images of the part that is chosen, then what the model says of them. */
async function load() {
  going?.abort();
  const { signal } = (going = new AbortController());
  keepAddress();
  try {
    if (samples?.dataset !== controls.set.value || samples?.part !== controls.part.value) {
      const loaded = await Samples.load(controls.set.value, controls.part.value, signal);
      samples = loaded;
      part("absent").hidden = true;
      part("present").hidden = false;
      offerClasses(samples.classes);
      augmentation.setSamples(samples);
      loadAverages();
    } else {
      augmentation.refresh();
    }
    readings = null;
    showImages();
    showReadings();
    byTest("images").setAttribute("aria-busy", "true");
    part("browse-caption").textContent = `Reading ${count(samples.count)} images …`;
    readings = await Readings.load(samples, chosenModel(), signal);
    part("browse-caption").textContent = "\u00a0";
    byTest("images").removeAttribute("aria-busy");
    showImages();
    showReadings();
  } catch (error) {
    if (error.name === "AbortError") return;
    samples = readings = null;
    showFigures();
    showAbsent(error);
  }
}

async function loadModels() {
  models = (await ask("api/models")).filter((model) => model.problem === null);
  const used = models.find((model) => model.active);
  const { value } = controls.model;
  const options = models.map((model) => element("option", { value: model.id, text: model.kind === "run" ? `Run ${model.name}` : model.name }));
  controls.model.replaceChildren(element("option", { value: "", text: `In use: ${used?.name ?? "none"}` }), ...options);
  const wanted = value || new URLSearchParams(location.search).get("model");
  if (wanted && models.some((model) => model.id === wanted)) controls.model.value = wanted;
}

async function loadSets() {
  ({ sets } = await ask("api/data").then((answer) => {
    augmentation.setNames(answer.augmentations);
    return answer;
  }));
  for (const option of controls.set.options) {
    const found = sets.find((each) => each.id === option.value);
    if (found?.missing) option.textContent = `${found.name} (${found.id === "personal" ? "empty" : "not here yet"})`;
  }
}

controls.set.addEventListener("change", () => {
  offerParts();
  setFilter({});
});
for (const name of ["set", "part", "model"]) controls[name].addEventListener("change", load);
for (const name of ["label", "read", "says", "sort"]) controls[name].addEventListener("change", showImages);
for (const name of ["low", "high"]) controls[name].addEventListener("input", throttle(showImages, 150));
byTest("reset").addEventListener("click", () => {
  setFilter({});
  showImages();
});
byTest("mistakes-sort").addEventListener("change", showMistakes);
part("choices").addEventListener("submit", (event) => event.preventDefault());
part("again").addEventListener("click", load);
onTheme(paintAverages);

takeAddress();
loadSets();
await loadModels();
await load();
