// What was read: the digit, the state in words, ten bars, and the number if there are several digits.
import { paintSquare } from "./colors.js";
import { byPart, byTest, element, padded, percent } from "./dom.js";

const MOST_SQUARES = 6; // a number of more digits is shown as text alone
const HINT = byPart("several-hint").textContent;
const NOTES = { empty: "", not_a_digit: "What it would be, if it were one." };

const bars = Array.from({ length: 10 }, (_, digit) => {
  const fill = element("span", { class: "fill" });
  const share = element("span", { class: "share", text: padded("0.0 %", 7) });
  const labels = { role: "meter", "aria-label": `Probability of ${digit}`, "data-testid": `bar-${digit}` };
  const range = { "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0 };
  const track = element("span", { class: "track" }, fill);
  const meter = element("div", { class: "meter", ...labels, ...range }, track, share);
  const name = element("span", { class: "bar-name", "aria-hidden": "true", text: digit });
  const row = element("div", { class: "bar" }, name, meter);
  return { row, meter, fill, share };
});
byPart("bars").append(...bars.map(({ row }) => row));

/** Shares in tenths of a percent that sum to 1000 exactly: what rounding down leaves goes to the largest remainders. */
export function tenths(probabilities) {
  const total = probabilities.reduce((sum, each) => sum + each, 0);
  const exact = probabilities.map((each) => (1000 * each) / total);
  const whole = exact.map(Math.floor);
  const left = 1000 - whole.reduce((sum, each) => sum + each, 0);
  const order = exact.map((each, index) => [each - whole[index], index]).sort(([a], [b]) => b - a);
  for (const [, index] of order.slice(0, left)) whole[index]++;
  return whole;
}

const isSeveral = (number) => (number?.digits.length ?? 0) > 1;
const isNumber = (number) => isSeveral(number) && /\d/.test(number.text); // each sign that is no digit is a ?
const isUnreadable = ({ status, number }) => status === "not_a_digit" && isSeveral(number) && !isNumber(number);

/** The state in words. */
export function words({ status, digit, probabilities, number }) {
  if (status === "empty") return "Empty: nothing is drawn yet.";
  if (status === "not_a_digit" && isNumber(number)) return `Not a digit, but several: ${number.text}.`;
  if (isUnreadable({ status, number })) return "Several signs, none readable as a digit.";
  if (status === "not_a_digit") return "Not a digit, as far as the network can tell.";
  const sure = probabilities[digit] > 0.9995 ? "more than 99.9 %" : percent(probabilities[digit], 1);
  if (status === "digit") return `Digit ${digit}, with ${sure}.`;
  const [, second] = probabilities.map((p, index) => [p, index]).sort(([a], [b]) => b - a)[1];
  return `Unsure: ${digit} with ${sure}, or ${second} with ${percent(probabilities[second], 1)}.`;
}

/** Shows an answer of api/recognize. Only a finished drawing is told to screen readers. */
export function showReading(answer, isFinal) {
  const { status, digit, probabilities, number } = answer;
  const reading = byPart("reading");
  reading.dataset.status = status;
  set(byTest("prediction"), digit === null ? "" : String(digit));
  set(byTest("status"), words(answer));
  if (isFinal) set(byPart("spoken"), words(answer));
  showBars(probabilities, NOTES[status] ?? "All ten together are 100 %.");
  showNumber(answer);
  for (const button of document.querySelectorAll("[data-part=was] button")) {
    button.classList.toggle("is-read", Number(button.textContent) === digit);
  }
  if (isFinal) reading.dataset.answer = Number(reading.dataset.answer ?? 0) + 1;
}

/** Says that there is no answer, and why. */
export function showFailure(error) {
  byPart("reading").dataset.status = "failed";
  set(byTest("prediction"), "");
  set(byTest("status"), error.message);
  set(byPart("spoken"), error.message);
  showBars(null, "");
  showNumber({ number: null });
}

function showBars(probabilities, note) {
  const shares = probabilities === null ? new Array(10).fill(0) : tenths(probabilities);
  const most = Math.max(...shares);
  bars.forEach(({ row, meter, fill, share }, index) => {
    const text = `${(shares[index] / 10).toFixed(1)} %`;
    row.classList.toggle("is-first", most > 0 && shares[index] === most);
    fill.style.transform = `scaleX(${shares[index] / 1000})`;
    meter.setAttribute("aria-valuenow", shares[index] / 10);
    meter.setAttribute("aria-valuetext", text);
    set(share, padded(text, 7));
  });
  set(byPart("bars-note"), note);
}

function showNumber({ status, number }) {
  const isShown = isNumber(number);
  set(byPart("several-hint"), isUnreadable({ status, number }) ? "Write digits in one row." : HINT);
  set(byTest("number"), isShown ? number.text : "");
  byPart("several-hint").hidden = isShown;
  byPart("several-label").hidden = !isShown;
  const shown = isShown && number.digits.length <= MOST_SQUARES ? number.digits : [];
  const place = byPart("several-digits");
  while (place.childElementCount > shown.length) place.lastChild.remove();
  while (place.childElementCount < shown.length) place.append(element("canvas", { class: "pixels" }));
  shown.forEach(({ image }, index) => paintSquare(place.children[index], image));
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text; // nothing is painted or said anew for nothing
}
