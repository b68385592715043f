// The Draw page: what is drawn is read at once, and everything on the page follows.
import { byPart, byTest, element, svg, throttle, toast } from "./dom.js";
import { showExplanation, showSeen } from "./draw_insight.js";
import { showModel } from "./draw_model.js";
import { teach } from "./draw_personal.js";
import { onPicture } from "./draw_picture.js";
import { Reader } from "./draw_reader.js";
import { showFailure, showReading } from "./draw_reading.js";
import { keepDrawing, keptDrawing, keptPicture } from "./drawing.js";
import { Pad } from "./pad.js";
import { samples } from "./samples.js";

const pad = new Pad(byTest("canvas"));
const pictureCanvas = byTest("picture");
let picture = null; // the data URL of a picture that is read instead of what is drawn

const reader = new Reader({
  onRead(answer, isFinal) {
    showReading(answer, isFinal);
    showSeen(answer.image);
    if (answer.status === "empty") showExplanation(null);
  },
  onExplained: showExplanation,
  onFailed: showFailure,
});

/** What is asked about: a picture, or what is drawn. */
const body = () => (picture === null ? pad.drawing : { image: picture });
const teacher = teach(() => (picture === null && pad.isEmpty ? null : body()));
const keep = () => keepDrawing(body());
const keepSoon = throttle(keep, 300);

function showTools() {
  byTest("undo").disabled = !pad.canUndo;
  byTest("redo").disabled = !pad.canRedo;
  byPart("hint").hidden = !pad.isEmpty || picture !== null;
  byPart("brush-dot").setAttribute("r", pad.brush / 2);
}

/** What is there now is there anew: all of the page is about it. */
function begin() {
  showTools();
  teacher.changed();
  reader.now(body());
}

function dropPicture() {
  picture = null;
  pictureCanvas.hidden = true;
}

// A picture stays until something is drawn over it; another brush alone is no reason to drop it.
const isPictureKept = () => picture !== null && pad.isEmpty;

pad.addEventListener("change", () => {
  if (!isPictureKept()) dropPicture();
  showTools();
  if (isPictureKept()) return;
  teacher.changed();
  keepSoon();
  reader.soon(pad.drawing);
});
pad.addEventListener("strokeend", () => {
  if (isPictureKept()) return;
  keep();
  reader.now(pad.drawing);
});
pad.addEventListener("full", () => toast("That is as much as can be read at once. Clear the canvas to go on."));

// ---------------------------------------------------------------- tools

const on = (name, type, f) => byTest(name).addEventListener(type, f);

on("undo", "click", () => pad.undo());
on("redo", "click", () => pad.redo());
on("clear", "click", () => {
  if (picture === null) return pad.clear();
  dropPicture();
  begin();
  keep();
});
on("erase", "click", () => {
  pad.isErasing = !pad.isErasing;
  byTest("erase").setAttribute("aria-pressed", pad.isErasing);
});
on("brush", "input", () => pad.setBrush(Number(byTest("brush").value)));
on("predict", "click", () => reader.now(body()));
on("canvas", "keydown", (event) => {
  if (event.key === "Enter") reader.now(body());
});
on("wanted", "change", () => {
  const { value } = byTest("wanted");
  reader.wanted = value === "" ? null : Number(value);
  if (!pad.isEmpty || picture !== null) reader.explainSoon(body());
});
document.addEventListener("keydown", (event) => {
  const isElsewhere = event.defaultPrevented || document.querySelector("dialog[open]") || event.altKey;
  if (isElsewhere || !(event.ctrlKey || event.metaKey)) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  key === "y" || event.shiftKey ? pad.redo() : pad.undo();
});
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-action=close]")) dialog.close();
  });
}

// ---------------------------------------------------------------- samples and pictures

samples.forEach((sample, digit) => {
  const lines = sample.strokes.map((stroke) => svg("polyline", { points: stroke.join(" ") }));
  const picture = svg("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, ...lines);
  const names = { "aria-label": `Sample ${digit}`, "data-testid": `sample-${digit}` };
  const button = element("button", { type: "button", ...names }, picture);
  button.addEventListener("click", () => pad.load(sample));
  byTest("samples").append(button);
});

function showPicture(source, data) {
  picture = data;
  pictureCanvas.width = source.width;
  pictureCanvas.height = source.height;
  pictureCanvas.getContext("2d").drawImage(source, 0, 0);
  pictureCanvas.hidden = false;
}

onPicture(byPart("pad"), ({ canvas, data }) => {
  pad.clear();
  showPicture(canvas, data);
  begin();
  keep();
});

// ---------------------------------------------------------------- the start

const kept = keptDrawing();
const keptData = keptPicture();
if (kept !== null) {
  pad.open(kept);
  byTest("brush").value = pad.brush;
  begin();
} else if (keptData !== null) {
  const image = new Image();
  image.onload = () => {
    if (!pad.isEmpty) return; // something was drawn meanwhile
    showPicture(image, keptData);
    begin();
  };
  image.src = keptData;
}
showTools();
addEventListener("pageshow", showModel); // also when one comes back to the page from that of the models
