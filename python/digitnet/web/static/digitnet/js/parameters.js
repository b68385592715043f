// The page Parameters: everything that is known of a model, for people.
import { ask } from "./api.js";
import { byTest, count, element, percent } from "./dom.js";
import { listModels, modelQuery, showProblem, wantedModel } from "./model_choice.js";
import { patient } from "./network_patient.js";
import { histogram } from "./network_histogram.js";
import { plain, signed } from "./network_pictures.js";
import { layerName } from "./network_place.js";
import { values } from "./parameters_values.js";

const place = document.querySelector("[data-part=parameters]");

const card = (title, { isWhole = false, testid } = {}, ...children) =>
  element(
    "section",
    { class: isWhole ? "card whole" : "card", data: testid ? { testid } : {} },
    element("h2", { text: title }),
    ...children,
  );

const kilobytes = (bytes) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`);

function architecture({ sizes, activations, loss, parameters, file, preprocessing }) {
  const boxes = sizes.map((size, index) =>
    element(
      "li",
      {},
      element(
        "span",
        { class: "box" },
        element("b", { text: count(size) }),
        element("span", { class: "small soft", text: index === 0 ? "inputs" : activations[index - 1] }),
      ),
    ),
  );
  const input =
    preprocessing?.input === "ink"
      ? `ink from ${preprocessing.range?.join(" to ")}; a drawing is cropped, scaled and centred to 28 × 28 pixels first`
      : "not said";
  return card(
    "Architecture",
    { testid: "architecture" },
    element("ol", { class: "shape", "aria-label": "Layers from the inputs to the outputs" }, ...boxes),
    values([
      ["Parameters", `${count(parameters)} weights and biases`],
      ["Loss", loss.replaceAll("_", " ")],
      ["Input", input],
      ["File", `${file.name}, ${kilobytes(file.bytes)}`],
      ["Precision", file.precision === "half" ? "half: 16 bits for each number" : "full: 32 bits for each number"],
    ]),
  );
}

function calibration({ calibration: found }) {
  const title = "When it is sure";
  if (!found.is_fitted) {
    return card(
      title,
      { testid: "calibration" },
      element("p", {
        class: "said",
        text: "This model has no calibration: its probabilities are as the network gives them, nothing is refused as not a digit, and a reading is unsure if the likeliest digit is less than 50 percentage points ahead.",
      }),
    );
  }
  const rejection =
    found.rejection_threshold === null
      ? "none: everything is taken for a digit"
      : `score below ${plain(found.rejection_threshold, 3)}`;
  return card(
    title,
    { testid: "calibration" },
    values([
      [
        "Temperature",
        plain(found.temperature, 4),
        "Sums are divided by this before they become probabilities; above 1 makes it more modest.",
      ],
      [
        "Unsure",
        `lead below ${percent(found.unsure_threshold, 1)}`,
        "The probability of the likeliest digit, less that of the next.",
      ],
      [
        "Not a digit",
        rejection,
        "The score is the logarithm of all outputs' exponentials added up: how much there is that looks like any digit.",
      ],
      ["Fitted on", found.fitted_on || "not said"],
      ["Digits taken for digits", percent(found.accepted)],
      ["Of these, sure", percent(found.coverage)],
      ["Of these, right", percent(found.accuracy)],
    ]),
  );
}

function training({ provenance, config }) {
  const parts = [];
  if (config !== null) parts.push(...values.ofRun(config));
  if (provenance !== null && typeof provenance === "object") parts.push(...values.ofProvenance(provenance));
  if (parts.length === 0)
    return card(
      "How it was trained",
      { testid: "training" },
      element("p", { class: "said", text: "The model does not say." }),
    );
  const all = { ...(config === null ? {} : { config }), ...(provenance === null ? {} : { provenance }) };
  return card(
    "How it was trained",
    { testid: "training" },
    values(parts),
    element(
      "details",
      {},
      element("summary", { text: "Everything, as it is stored" }),
      element("pre", { tabindex: 0, text: JSON.stringify(all, null, 2) }),
    ),
  );
}

function layers({ layers: found, sizes }) {
  const one = (layer, index) =>
    element(
      "section",
      { data: { testid: `layer-${index}` } },
      element("h3", { text: layerName(index, sizes) }),
      element("p", {
        class: "small soft",
        text: `${count(layer.inputs)} × ${count(layer.outputs)} weights, ${layer.function}`,
      }),
      histogram(layer),
      values([
        ["Mean", signed(layer.mean, 5)],
        ["Deviation", plain(layer.deviation, 5)],
        ["Norm", plain(layer.norm, 3)],
        ["Smallest, largest", `${signed(layer.low, 3)}, ${signed(layer.high, 3)}`],
        ["Exactly zero", `${count(layer.zeros)} (${percent(layer.zeros / (layer.inputs * layer.outputs), 1)})`],
        ["Bias", `${signed(layer.bias_mean, 4)} ± ${plain(layer.bias_deviation, 4)}`],
        ...(index === sizes.length - 2 ? [] : [["Dead units", dead(index), "No test image activates them."]]),
      ]),
    );
  return card(
    "What it learned",
    { isWhole: true, testid: "layers" },
    element("p", {
      class: "said",
      text: "The weights of each layer: how many there are of each size, orange below zero and blue above.",
    }),
    element("div", { class: "layer-grid" }, ...found.map(one)),
  );
}

const dead = (layer) => element("span", { data: { testid: `dead-${layer}` }, text: "looking through the test images" });

async function showDead(model, isWanted) {
  try {
    const found = await patient(`api/parameters/dead${modelQuery(model)}`, isWanted);
    if (found === null || !isWanted()) return;
    found.layers.forEach(({ units, dead: number }, layer) => {
      byTest(`dead-${layer}`).textContent = `${count(number)} of ${count(units)}`;
    });
  } catch {
    if (isWanted())
      for (const shown of document.querySelectorAll("[data-testid^=dead-]"))
        shown.textContent = "not known: the data are not on this machine";
  }
}

let shown = null;

async function open(model) {
  const round = {};
  shown = round;
  try {
    const found = await ask(`api/parameters${modelQuery(model)}`);
    if (shown !== round) return;
    byTest("problem").hidden = true;
    place.replaceChildren(
      element("div", { class: "grid" }, architecture(found), calibration(found)),
      training(found),
      layers(found),
    );
    byTest("model").value = found.model;
    await Promise.all([listModels(byTest("model"), found.model), showDead(found.model, () => shown === round)]);
  } catch (error) {
    showProblem(byTest("problem"), error);
    await listModels(byTest("model"), null);
  }
}

byTest("model").addEventListener("change", (event) => {
  history.replaceState(null, "", `${location.pathname}${modelQuery(event.target.value)}`);
  open(event.target.value);
});
await open(wantedModel());
