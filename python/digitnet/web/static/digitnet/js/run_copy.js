// "Copy as Python, C++, command line".
import { ask } from "./api.js";
import { toast } from "./dom.js";

const NAMES = { python: "Python", cpp: "C++", shell: "Command line" };

/**
 * Makes the buttons work that show a run as a program, and the dialog that has it.
 * @param {HTMLElement} root  of templates/digitnet/run.html
 * @param {string} path  of the run below the API
 */
export function offerCopies(root, path) {
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const dialog = document.getElementById("copy-dialog");
  const code = part("code");
  for (const button of root.querySelectorAll("[data-form]")) {
    button.addEventListener("click", async () => {
      const { form } = button.dataset;
      try {
        code.textContent = (await ask(`${path}/command?form=${form}`)).text;
      } catch (error) {
        toast(error.message, "bad");
        return;
      }
      part("copy-title").textContent = NAMES[form];
      dialog.showModal();
      part("copy").focus();
    });
  }
  part("copy-close").addEventListener("click", () => dialog.close());
  part("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      toast("Copied.");
      dialog.close();
    } catch {
      getSelection().selectAllChildren(code); // no clipboard here: it can be copied by hand
      toast("It is selected: copy it with the keyboard.");
    }
  });
}
