// Names and values in two columns, and what a training was like in such words.
import { count, element, percent } from "./dom.js";

/**
 * A list of names with their values.
 * @param {[string, string|Node, string?][]} entries  name, value, and a line that explains
 */
export function values(entries) {
  return element(
    "dl",
    { class: "values" },
    ...entries.map(([name, value, why]) =>
      element(
        "div",
        {},
        element("dt", { text: name }),
        element("dd", {}, value, ...(why ? [element("div", { class: "small soft", text: why })] : [])),
      ),
    ),
  );
}

const words = (text) => String(text).replaceAll("_", " ");
const isThere = (value) =>
  value !== null &&
  value !== undefined &&
  value !== 0 &&
  value !== false &&
  value !== "none" &&
  !(Array.isArray(value) && value.length === 0);

/** Numbers and texts of an object in one line: "learning rate 0.001, weight decay 0.05". */
function inLine(object, leaveOut = []) {
  return Object.entries(object)
    .filter(([key, value]) => !leaveOut.includes(key) && isThere(value))
    .map(([key, value]) =>
      `${words(key)} ${typeof value === "object" ? JSON.stringify(value) : value === true ? "" : value}`.trim(),
    )
    .join(", ");
}

const optimizer = ({ name, ...options }) => `${name}: ${inLine(options)}`;
const schedule = (found) =>
  typeof found === "string"
    ? found
    : found && `${found.name}${isThere(found.warmup) ? `, warm-up over ${percent(found.warmup, 0)}` : ""}`;

/** What the config.json of a run says. */
values.ofRun = ({ training, optimizer: chosen, data, seed, created, digitnet }) => {
  const { epochs, batch_size: batch, schedule: rate, augmentation, early_stopping: stopping, ...rest } = training;
  const more = inLine(rest, [
    "shuffle",
    "stop_below_loss",
    "class_weights",
    "sample_weights",
    "ema_decay",
    "swa_start",
    "plateau",
  ]);
  const source = data.source ?? {};
  return [
    [
      "Data",
      [
        source.name ?? source.dataset,
        `${count(data.training?.samples ?? 0)} images to learn from`,
        data.validation && `${count(data.validation.samples)} set aside to watch`,
      ]
        .filter(Boolean)
        .join(", "),
    ],
    ["Epochs", count(epochs)],
    ["Batch size", count(batch)],
    ["Optimizer", optimizer(chosen)],
    ["Learning rate", schedule(rate) ?? "constant"],
    ["Augmentation", augmentation ? inLine(augmentation) : "none"],
    ["Against learning by heart", more || "nothing"],
    ["Early stopping", stopping ? inLine(stopping) : "no"],
    ["Seed", String(seed)],
    ["Begun", new Date(created).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })],
    ["digitnet", digitnet],
  ];
};

/** What the provenance in a model file says: of `digitnet train`, or of a recipe. */
values.ofProvenance = (said) => {
  const entries = [];
  const put = (name, value, why) => isThere(value) && entries.push([name, String(value), why]);
  const recipe = said.recipe ?? null;
  put("About", recipe?.about);
  const data = Array.isArray(said.data)
    ? said.data.map((set) => `${set.name} (${count(set.samples ?? 0)})`).join(", ")
    : said.data;
  put("Data", data);
  put("Images learned from", said.training_samples && count(said.training_samples));
  for (const [index, phase] of (recipe?.phases ?? []).entries()) {
    put(
      `Phase ${index + 1}`,
      `${count(phase.epochs)} epochs in batches of ${count(phase.batch_size)}; ${optimizer(phase.optimizer)}; ${schedule(phase.schedule)} schedule${isThere(phase.warmup) ? `, warm-up over ${percent(phase.warmup, 0)}` : ""}`,
      phase.augmentation && `Augmentation: ${inLine(phase.augmentation)}`,
    );
  }
  if (recipe?.data?.not_digits) put("Drawings that are no digits", inLine(recipe.data.not_digits));
  if (said.options && typeof said.options === "object") {
    const {
      epochs,
      batch_size: batch,
      optimizer: chosen,
      learning_rate: rate,
      schedule: shape,
      ...rest
    } = said.options;
    put("Epochs", epochs && count(epochs));
    put("Batch size", batch && count(batch));
    put("Optimizer", typeof chosen === "string" ? chosen : chosen && optimizer(chosen));
    put("Learning rate", [rate, schedule(shape)].filter(Boolean).join(", "));
    put("Other options", inLine(rest));
  }
  put("Seed", said.seed);
  put("Validation accuracy", said.validation_accuracy && percent(said.validation_accuracy));
  put("Test accuracy", said.test_accuracy && percent(said.test_accuracy));
  put("Best epoch", said.best_epoch);
  put("digitnet", said.digitnet);
  put("Data SHA-256", said.data_sha256);
  return entries;
};
