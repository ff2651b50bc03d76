// Buttons and pads that move the robot while they are held, by pointer or by key.
import { showMessage } from "./page.js";

const LATE_MS = 300; // A press that the browser delivers later moves nothing.

// Keys act only while the focus is in the panel. Space and Esc stay with stop.
const KEYS = {
  w: { base_vx: 1 }, s: { base_vx: -1 }, a: { base_vy: 1 }, d: { base_vy: -1 },
  q: { base_wz: 1 }, e: { base_wz: -1 }, r: { torso: 1 }, f: { torso: -1 },
  i: { hand_x: 1 }, k: { hand_x: -1 }, j: { hand_y: 1 }, l: { hand_y: -1 },
  u: { hand_z: 1 }, o: { hand_z: -1 },
};

export class Jog {
  constructor(panel) {
    this.panel = panel;
    this.parts = new Map(); // What is held (an element, or a key) -> its axes.
    this.onChange = () => {};
    for (const button of panel.querySelectorAll("[data-axis]")) this.button(button);
    for (const pad of panel.querySelectorAll("[data-pad]")) this.pad(pad);
    panel.addEventListener("keydown", (event) => this.keyDown(event));
    panel.addEventListener("keyup", (event) => this.drop(event.key.toLowerCase()));
    panel.addEventListener("focusout", (event) => {
      if (!panel.contains(event.relatedTarget)) this.dropKeys();
    });
  }

  get isHeld() {
    return this.parts.size > 0;
  }

  // The sum of all that is held; grippers: the one pressed last.
  get axes() {
    const sum = {};
    for (const part of this.parts.values()) {
      for (const [name, value] of Object.entries(part)) {
        sum[name] = name.endsWith("_target") ? value : (sum[name] ?? 0) + value;
      }
    }
    return sum;
  }

  dropAll() {
    for (const part of [...this.parts.keys()]) this.drop(part);
  }

  button(node) {
    const axes = { [node.dataset.axis]: Number(node.dataset.value) };
    this.hold(node, () => axes);
  }

  pad(node) {
    const [across, along] = node.dataset.pad.split(" ");
    this.hold(node, (event) => {
      const box = node.getBoundingClientRect();
      const part = (at, begin, size) => Math.max(-1, Math.min(1, (2 * (at - begin)) / size - 1));
      const x = part(event.clientX, box.left, box.width), y = part(event.clientY, box.top, box.height);
      node.style.setProperty("--x", x);
      node.style.setProperty("--y", y);
      return { [across]: -x, [along]: -y }; // To the right and down is negative.
    });
  }

  // A captured pointer is ours until it is lifted, wherever it goes.
  hold(node, axesOf) {
    node.addEventListener("pointerdown", (event) => {
      if (node.disabled || event.button !== 0) return;
      event.preventDefault(); // Neither a selection nor a scroll.
      node.focus({ preventScroll: true });
      if (!this.isInTime(event)) return;
      node.setPointerCapture(event.pointerId);
      this.put(node, axesOf(event));
    });
    node.addEventListener("pointermove", (event) => {
      if (this.parts.has(node)) this.parts.set(node, axesOf(event));
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      node.addEventListener(end, () => this.drop(node));
    }
    node.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  keyDown(event) {
    const key = event.key.toLowerCase();
    const axes = KEYS[key];
    if (!axes || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.matches("input, select")) return;
    if (this.panel.dataset.ready === "true" && this.isInTime(event)) this.put(key, axes);
  }

  isInTime(event) {
    if (performance.now() - event.timeStamp <= LATE_MS) return true;
    showMessage("not driven: the page was busy, let go and press again", "bad");
    return false;
  }

  put(part, axes) {
    this.parts.set(part, axes);
    if (part instanceof Element) part.dataset.held = "true";
    this.onChange();
  }

  drop(part) {
    if (!this.parts.delete(part)) return;
    if (part instanceof Element) {
      delete part.dataset.held;
      part.style.removeProperty("--x");
      part.style.removeProperty("--y");
    }
    this.onChange();
  }

  dropKeys() {
    for (const part of [...this.parts.keys()]) if (typeof part === "string") this.drop(part);
  }
}
