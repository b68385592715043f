// What is chosen on the page Data: set, part, model and filters, in the controls and in the address, so that a view can be
// kept and sent.
import { EVERYTHING } from "./data_set.js";
import { element } from "./dom.js";

/** The controls by what they choose. */
export const controls = Object.fromEntries(
  ["set", "part", "model", "label", "read", "says", "low", "high", "sort"].map((id) => [id, document.getElementById(id)]),
);
const PARTS = { mnist: ["test", "train"], "fashion-mnist": ["test", "train"], personal: ["all"] };
const PART_NAMES = { test: "Test", train: "Training", all: "All" };

/** Takes the choice from the address. */
export function takeAddress() {
  const query = new URLSearchParams(location.search);
  if (PARTS[query.get("set")]) controls.set.value = query.get("set");
  offerParts();
  offerClasses([...Array(10).keys()]); // their names come with the set
  for (const name of ["part", "label", "read", "says", "sort"]) {
    const wanted = query.get(name);
    if (wanted !== null && [...controls[name].options].some((option) => option.value === wanted)) controls[name].value = wanted;
  }
  for (const name of ["low", "high"]) {
    const wanted = Number.parseFloat(query.get(name));
    if (wanted >= 0 && wanted <= 100) controls[name].value = wanted;
  }
}

/** Writes it there; what is as usual is left out. */
export function keepAddress() {
  const usual = { ...EVERYTHING, set: "mnist", part: "test", model: "" };
  const query = new URLSearchParams();
  for (const [name, control] of Object.entries(controls)) {
    if (control.value !== String(usual[name]) && !(name === "part" && control.value === "all")) query.set(name, control.value);
  }
  const text = query.toString();
  history.replaceState(null, "", location.pathname + (text && `?${text}`) + location.hash);
}

/** The parts of the set that is chosen. */
export function offerParts() {
  const wanted = controls.part.value;
  const parts = PARTS[controls.set.value];
  controls.part.replaceChildren(...parts.map((each) => element("option", { value: each, text: PART_NAMES[each] })));
  controls.part.value = parts.includes(wanted) ? wanted : parts[0];
}

/** Names of the classes in the filters, with the choice as it was. */
export function offerClasses(classes) {
  for (const [control, any] of [[controls.label, "Any"], [controls.read, "Anything"]]) {
    const { value } = control;
    const options = classes.map((name, digit) => element("option", { value: digit, text: name }));
    control.replaceChildren(element("option", { value: "", text: any }), ...options);
    control.value = value;
  }
}

/** The filter as js/data_set.js takes it; a number that is none counts as not given. */
export const filter = () => {
  const within = (control, otherwise) => (control.value !== "" && control.checkValidity() ? Number(control.value) : otherwise);
  const { label, read, says, low, high, sort } = controls;
  return { label: label.value, read: read.value, says: says.value, low: within(low, 0), high: within(high, 100), sort: sort.value };
};

/** Sets the filters; what is not given lets everything through. */
export function setFilter(values) {
  for (const [name, value] of Object.entries({ ...EVERYTHING, ...values })) controls[name].value = value;
}
