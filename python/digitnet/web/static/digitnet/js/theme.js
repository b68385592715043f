// Light or dark, before the page is painted: what was chosen here, else what the system prefers.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("digitnet-theme");
    } catch {
      return null; // storage is switched off
    }
  };
  const apply = () => {
    document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
    dispatchEvent(new Event("digitnet-theme"));
  };
  system.addEventListener("change", apply);
  addEventListener("storage", apply);
  apply();
})();
