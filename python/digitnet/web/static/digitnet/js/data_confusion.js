// The confusion matrix: a row for each label, a column for each reading; every number leads to its images.
import { count, element } from "./dom.js";

/**
 * @param {HTMLTableElement} table
 * @param {number[][]} confusion  counts by label and reading
 * @param {string[]} classes  their names
 * @param {(label: number, read: number) => void} onOpen
 */
export function showConfusion(table, confusion, classes, onOpen) {
  const isNamed = classes.some((name) => name.length > 2);
  table.classList.toggle("named", isNamed);
  const most = Math.max(1, ...confusion.flatMap((row, label) => row.filter((_, read) => read !== label)));
  const columns = classes.map((name) => element("th", { scope: "col" }, element("span", { text: name })));
  const head = element("tr", {}, element("td", { class: "corner" }, element("span", { text: "label ↓" }), element("span", { text: "read as →" })), ...columns);
  const button = (label, read, number) =>
    element("button", {
      type: "button",
      text: String(number),
      "aria-label": `${classes[label]} read as ${classes[read]}: ${count(number)} ${number === 1 ? "image" : "images"}`,
      data: { label, read },
      on: { click: () => onOpen(label, read) },
    });
  const rows = confusion.map((row, label) => {
    const total = Math.max(1, row.reduce((sum, number) => sum + number, 0));
    const cells = row.map((number, read) => {
      const cell = element("td", {}, number === 0 ? element("span", { class: "zero", text: "0" }) : button(label, read, number));
      if (number > 0 && label === read) cell.className = "right";
      else if (number > 0) cell.className = "wrong";
      // Of the right ones the share of the label; mistakes by the root, so that a single one is seen.
      cell.style.setProperty("--share", label === read ? number / total : Math.sqrt(number / most));
      return cell;
    });
    return element("tr", {}, element("th", { scope: "row", text: classes[label] }), ...cells);
  });
  table.replaceChildren(element("caption", { class: "visually-hidden", text: "How often each label was read as what" }), element("thead", {}, head), element("tbody", {}, ...rows));
}
