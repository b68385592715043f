// A model brought from elsewhere: chosen or dropped, sent, and told why not in one line.
import { ask } from "./api.js";
import { byTest, toast } from "./dom.js";
import { megabytes } from "./models_cards.js";

const MOST = 64e6; // bytes; the server says the same

/**
 * @param {HTMLElement} section
 * @param {(model: object) => void} onDone  with what was uploaded
 */
export function listenForUploads(section, onDone) {
  const input = byTest("upload-file", section);
  const drop = section.querySelector("[data-part=drop]");
  const text = section.querySelector("[data-part=drop-text]");
  const problem = byTest("upload-error", section);
  const invitation = [...text.childNodes];

  const refuse = (message) => {
    problem.textContent = message;
    problem.hidden = false;
  };

  async function send(file) {
    problem.hidden = true;
    if (file.size > MOST) return refuse(`${file.name}: ${megabytes(file.size)}, expected at most ${megabytes(MOST)}`);
    text.textContent = `Checking ${file.name} …`;
    input.disabled = true;
    const body = new FormData();
    body.append("file", file);
    try {
      const model = await ask("api/models", { body });
      toast(`${model.name} is here.`);
      onDone(model);
    } catch (error) {
      refuse(error.message);
    } finally {
      text.replaceChildren(...invitation);
      input.disabled = false;
      input.value = "";
    }
  }

  input.addEventListener("change", () => input.files[0] && send(input.files[0]));
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const type of ["dragleave", "drop"]) drop.addEventListener(type, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });
}
