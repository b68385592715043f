// What every page has: the button for light and dark, and a menu that shows where one is.
import { setTheme, theme } from "./colors.js";

document.querySelector("[data-action=theme]").addEventListener("click", () => {
  setTheme(theme() === "dark" ? "light" : "dark");
});

document.querySelector("nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
