// The canvas that digits are drawn on: with mouse, finger, pen or keyboard, as strokes that stay lines.
//
// A stroke is a list of [x, y] in units of the pad, which is SIZE wide and high whatever it measures on the screen, so
// turning a phone or resizing a window loses nothing.
import { color, onTheme } from "./colors.js";

export const SIZE = 400;
const STEP = 10; // of an arrow key
const CLOSE = 0.5; // points nearer than this are one
const MOST_STROKES = 1000; // as POST api/recognize takes them
const MOST_POINTS = 20_000;

/**
 * Events on the pad: "change" while something is drawn, erased or undone; "strokeend" when a line is finished, and after
 * every other change; "full" when no more can be drawn. They carry nothing; ask for `drawing`.
 */
export class Pad extends EventTarget {
  /**
   * @param {HTMLCanvasElement} canvas  within an element of class "pad"
   * @param {{brush?: number}} options  brush: diameter of the pen in units of the pad
   */
  constructor(canvas, { brush = 26 } = {}) {
    super();
    this.canvas = canvas;
    this.brush = brush;
    this.isErasing = false;
    this.strokes = [];
    this.past = []; // what undo goes back to
    this.future = []; // what redo goes on to
    this.pointer = null;
    this.cursor = null; // of the keyboard: {x, y, isDown}
    this.#listen();
    new ResizeObserver(() => this.paint()).observe(canvas);
    onTheme(() => this.paint());
  }

  /** What POST api/recognize takes. */
  get drawing() {
    return { strokes: this.strokes.filter((stroke) => stroke.length > 0), width: SIZE, height: SIZE, brush: this.brush };
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  /** Whether there is as much as can be read at once. */
  get isFull() {
    return this.strokes.length >= MOST_STROKES || !this.#hasRoom;
  }

  get #hasRoom() {
    return this.strokes.reduce((sum, { length }) => sum + length, 0) < MOST_POINTS;
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  /** Begins with a drawing: there is nothing before it to go back to, and no event tells of it. */
  open(drawing) {
    this.#put(drawing);
    this.paint();
  }

  /** Replaces what is drawn. Can be undone. */
  load(drawing) {
    this.#end();
    this.#remember();
    this.#put(drawing);
    this.#changed(true);
  }

  clear() {
    if (this.isEmpty) return;
    this.#end();
    this.#remember();
    this.strokes = [];
    this.#changed(true);
  }

  undo() {
    this.#end();
    if (!this.canUndo) return;
    this.future.push(this.strokes);
    this.strokes = this.past.pop();
    this.#changed(true);
  }

  redo() {
    if (!this.canRedo) return;
    this.past.push(this.strokes);
    this.strokes = this.future.pop();
    this.#changed(true);
  }

  setBrush(brush) {
    this.brush = brush;
    this.#changed(true);
  }

  paint() {
    const { canvas } = this;
    const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    const high = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
    if (canvas.width !== side || canvas.height !== high) {
      canvas.width = side;
      canvas.height = high;
    }
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, side, high);
    context.setTransform(side / SIZE, 0, 0, high / SIZE, 0, 0);
    context.strokeStyle = color("ink");
    context.fillStyle = color("ink");
    context.lineWidth = this.brush;
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of this.strokes) paintStroke(context, stroke, this.brush);
    if (this.cursor !== null && document.activeElement === canvas) this.#paintCursor(context);
  }

  #paintCursor(context) {
    const { x, y, isDown } = this.cursor;
    context.lineWidth = 2;
    context.strokeStyle = color("accent");
    context.beginPath();
    context.arc(x, y, this.brush / 2 + 3, 0, 2 * Math.PI);
    if (!isDown) {
      context.moveTo(x - 6, y);
      context.lineTo(x + 6, y);
      context.moveTo(x, y - 6);
      context.lineTo(x, y + 6);
    }
    context.stroke();
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      canvas.addEventListener(type, (event) => this.#up(event));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => this.paint());
    canvas.addEventListener("blur", () => {
      if (this.cursor?.isDown) this.#lift();
      this.paint();
    });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #place(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    return [rounded(x * SIZE), rounded(y * SIZE)];
  }

  #down(event) {
    if (this.pointer !== null || (event.pointerType === "mouse" && event.button !== 0)) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.canvas.focus({ preventScroll: true });
    this.cursor = null;
    const place = this.#place(event);
    const isErasing = this.isErasing || event.button === 5; // a pen turned around
    this.pointer = { id: event.pointerId, isErasing, before: this.strokes, last: place };
    this.#remember();
    if (isErasing) this.#erase(place);
    else if (this.isFull) return this.#refuse();
    else this.strokes = [...this.strokes, [place]];
    this.#changed(false);
  }

  #refuse() {
    this.past.pop();
    this.pointer = null;
    this.dispatchEvent(new Event("full"));
  }

  #move(event) {
    if (this.pointer?.id !== event.pointerId) return;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const each of moves.length > 0 ? moves : [event]) {
      const place = this.#place(each);
      if (this.pointer.isErasing) this.#eraseTo(place);
      else if (this.#hasRoom) addPoint(this.strokes.at(-1), place);
    }
    this.#changed(false);
  }

  #up(event) {
    if (this.pointer?.id !== event.pointerId) return;
    this.#end();
    this.#changed(true);
  }

  /** Ends the line that is being drawn: what is done next leaves it as it is. */
  #end() {
    if (this.pointer?.before === this.strokes) this.past.pop(); // the eraser met nothing
    this.pointer = null;
    if (this.cursor !== null) this.cursor.isDown = false;
  }

  /** However fast the eraser moves, it skips nothing. */
  #eraseTo(place) {
    for (const each of dense([this.pointer.last, place])) this.#erase(each);
    this.pointer.last = place;
  }

  /** Takes away what the eraser covers; a line that it crosses becomes two. */
  #erase([x, y]) {
    const radius = Math.max(this.brush, 16);
    const far = ([a, b]) => Math.hypot(a - x, b - y) > radius;
    if (this.strokes.every((stroke) => dense(stroke).every(far))) return;
    this.strokes = this.strokes.flatMap((stroke) => {
      const points = dense(stroke);
      if (points.every(far)) return [stroke];
      const parts = [[]];
      for (const point of points) {
        if (far(point)) parts.at(-1).push(point);
        else if (parts.at(-1).length > 0) parts.push([]);
      }
      return parts.filter((part) => part.length > 0);
    });
  }

  /** Arrows move, Space puts the pen down and lifts it, Ctrl+Z and Ctrl+Y undo and redo, Delete clears. */
  #key(event) {
    const command = event.ctrlKey || event.metaKey;
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (command && event.key.toLowerCase() === "z") event.shiftKey ? this.redo() : this.undo();
    else if (command && event.key.toLowerCase() === "y") this.redo();
    else if (command || event.altKey) return;
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else if (event.key === " ") this.cursor?.isDown ? this.#lift() : this.#lower();
    else if (event.key === "Escape" && this.cursor?.isDown) this.#lift();
    else if (moves[event.key]) this.#step(moves[event.key], event.shiftKey ? STEP / 5 : STEP);
    else return;
    event.preventDefault();
  }

  #step([right, down], step) {
    this.cursor ??= { x: SIZE / 2, y: SIZE / 4, isDown: false };
    this.cursor.x = Math.max(0, Math.min(SIZE, this.cursor.x + right * step));
    this.cursor.y = Math.max(0, Math.min(SIZE, this.cursor.y + down * step));
    if (!this.cursor.isDown) return this.paint();
    if (this.#hasRoom) addPoint(this.strokes.at(-1), [this.cursor.x, this.cursor.y]);
    this.#changed(false);
  }

  #lower() {
    if (this.isFull) return this.dispatchEvent(new Event("full"));
    this.#end();
    this.cursor ??= { x: SIZE / 2, y: SIZE / 4, isDown: false };
    this.cursor.isDown = true;
    this.#remember();
    this.strokes = [...this.strokes, [[this.cursor.x, this.cursor.y]]];
    this.#changed(false);
  }

  #lift() {
    this.#end();
    this.#changed(true);
  }

  /** Scaled to the pad, if it was drawn on another canvas. */
  #put({ strokes, width = SIZE, height = width, brush }) {
    const scale = SIZE / Math.max(width, height);
    const left = (SIZE - width * scale) / 2;
    const top = (SIZE - height * scale) / 2;
    this.strokes = strokes.map((stroke) => stroke.map(([x, y]) => [left + x * scale, top + y * scale]));
    if (brush) this.brush = brush * scale;
  }

  #remember() {
    this.past.push(this.strokes);
    if (this.past.length > 200) this.past.shift();
    this.future = [];
  }

  #changed(isFinished) {
    this.paint();
    this.dispatchEvent(new Event("change"));
    if (isFinished) this.dispatchEvent(new Event("strokeend"));
  }
}

const rounded = (value) => Math.round(100 * value) / 100;

function addPoint(stroke, [x, y]) {
  const [a, b] = stroke.at(-1);
  if (Math.hypot(x - a, y - b) >= CLOSE) stroke.push([x, y]);
}

/** The points of a stroke with others between them, so that none is further than 4 from the next. */
function dense(stroke) {
  const points = [];
  stroke.forEach(([x, y], index) => {
    if (index > 0) {
      const [a, b] = stroke[index - 1];
      const parts = Math.ceil(Math.hypot(x - a, y - b) / 4);
      for (let part = 1; part < parts; part++) points.push([a + ((x - a) * part) / parts, b + ((y - b) * part) / parts]);
    }
    points.push([x, y]);
  });
  return points;
}

/** Paints a stroke with the pen of a context; one point is a dot. */
export function paintStroke(context, stroke, brush) {
  context.beginPath();
  if (stroke.length === 1) {
    context.arc(stroke[0][0], stroke[0][1], brush / 2, 0, 2 * Math.PI);
    context.fill();
    return;
  }
  stroke.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.stroke();
}
