// Small things about the document that every page needs.

/** The element with this data-testid. */
export const byTest = (name, root = document) => root.querySelector(`[data-testid="${name}"]`);

/** The element with this data-part. */
export const byPart = (name, root = document) => root.querySelector(`[data-part="${name}"]`);

/**
 * A new element.
 * @param {string} tag
 * @param {Object} attributes  as attributes; `class`, `text`, `on: {click: f}` and `data: {}` besides; false and null leave one out
 * @param {...(Node|string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else if (name === "on") for (const [type, listener] of Object.entries(value)) made.addEventListener(type, listener);
    else if (name === "data") Object.assign(made.dataset, value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") made.textContent = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Says something at the corner of the page for a while, and to screen readers. */
export function toast(message, kind = "") {
  const shown = element("div", { class: `toast ${kind}`, text: message });
  document.querySelector(".toasts").append(shown);
  setTimeout(() => shown.remove(), kind === "bad" ? 8000 : 4000);
}

/** 0.9827 as "98.27 %". */
export const percent = (share, digits = 2) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`);

/** A text made longer at its front, so that numbers of all sizes begin and end at the same place. */
export const padded = (text, length) => String(text).padStart(length, "\u2007");

/** 93322 as "93 322". */
export const count = (number) => String(Math.round(number)).replace(/\B(?=(\d{3})+$)/g, "\u202f");

/** Seconds as "48 s", "3 min 12 s" or "2 h 5 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.round(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Calls f at most once in `wait` milliseconds: at once, and again for the last call that had to wait. */
export function throttle(f, wait) {
  let timer = null;
  let again = null;
  return (...args) => {
    if (timer !== null) {
      again = args;
      return;
    }
    const tick = () => {
      timer = null;
      if (again === null) return;
      const next = again;
      again = null;
      timer = setTimeout(tick, wait);
      f(...next);
    };
    timer = setTimeout(tick, wait);
    f(...args);
  };
}

/** Whether the reader asked the system for less motion. */
export const isReducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
