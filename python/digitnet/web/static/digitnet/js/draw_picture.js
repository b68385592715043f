// Pictures to read: from a file, the clipboard, a drop or the camera; made small enough to send.
import { byTest, toast } from "./dom.js";

const LARGEST_SIDE = 1024; // pixels: far more than the network sees
const LONGEST_PNG = 1_200_000; // characters of a data URL; a photo beyond that goes as JPEG

/**
 * Calls f({canvas, data}) with every picture somebody gives: as a canvas to show, and as a data URL to send.
 * @param {HTMLElement} pad  where one can be dropped
 */
export function onPicture(pad, f) {
  const give = async (source) => {
    try {
      f(await scaled(source));
    } catch {
      toast("That is no picture this browser can read. PNG and JPEG always work.", "bad");
    }
  };
  for (const [button, input] of [["upload", "file"], ["camera", "camera-file"]]) {
    byTest(input).addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = ""; // the same file can be chosen again
      if (file) give(file);
    });
    byTest(button).addEventListener("click", () => {
      if (button === "camera" && hasCameraHere()) takePhoto(give);
      else byTest(input).click();
    });
  }
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
    if (file) give(file);
  });
  const isFiles = (event) => [...event.dataTransfer.types].includes("Files");
  document.addEventListener("dragover", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault(); // else the browser would leave the page for the file
    pad.classList.add("is-target");
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && pad.classList.remove("is-target"));
  document.addEventListener("drop", (event) => {
    pad.classList.remove("is-target");
    if (!isFiles(event)) return;
    event.preventDefault();
    give(event.dataTransfer.files[0]);
  });
}

/** A phone's own camera app is better than a video in the page. */
const hasCameraHere = () => navigator.mediaDevices?.getUserMedia && matchMedia("(pointer: fine)").matches;

async function scaled(source) {
  const bitmap = await createImageBitmap(source); // turned as its EXIF data says
  const scale = Math.min(1, LARGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const data = canvas.toDataURL("image/png");
  if (data.length <= LONGEST_PNG) return { canvas, data };
  context.globalCompositeOperation = "destination-over"; // JPEG has no transparency
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  return { canvas, data: canvas.toDataURL("image/jpeg", 0.92) };
}

async function takePhoto(give) {
  const dialog = byTest("camera-dialog");
  const video = dialog.querySelector("video");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    toast("There is no camera, or this page may not use it.", "bad");
    return;
  }
  video.srcObject = stream;
  const taken = new AbortController();
  byTest("camera-take").addEventListener(
    "click",
    async () => {
      if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
      await give(video);
      dialog.close();
    },
    { signal: taken.signal },
  );
  dialog.addEventListener(
    "close",
    () => {
      for (const track of stream.getTracks()) track.stop();
      video.srcObject = null;
      taken.abort();
    },
    { signal: taken.signal },
  );
  dialog.showModal();
}
