// Teleoperation by the page: sends frames while a dead-man switch is held.
import { byId, setText } from "./page.js";
import { findGamepad, readGamepad } from "./gamepad.js";
import { Jog } from "./jog.js";

const FRAME_MS = 40;
const SILENT_MS = 300; // After a pause of page or connection this long, it must be let go first.
const LET_GO_FRAMES = 5; // The first that is in time hands back; the others change nothing.
const AXES = [
  "base_vx", "base_vy", "base_wz", "torso",
  "hand_x", "hand_y", "hand_z", "hand_roll", "hand_pitch", "hand_yaw",
  "left_gripper_target", "right_gripper_target",
];
const KEEP = -1;

// Axes by name -> the numbers of a frame, at a share of the greatest speed.
export function frameAxes(axes, speed) {
  return AXES.map((name) => {
    const value = axes[name];
    if (name.endsWith("_target")) return value === null || value === undefined ? KEEP : value;
    return Math.max(-1, Math.min(1, value || 0)) * speed;
  });
}

export class Drive {
  constructor(link) {
    this.link = link;
    this.panel = byId("drive");
    this.jog = new Jog(this.panel);
    this.jog.onChange = () => this.tick();
    this.ready = false; // Holds control, and a teleop node is there.
    this.blocked = false; // What is held must be let go before anything is sent again.
    this.leaving = 0; // Frames that still say that the switch was let go.
    this.sent = false; // The last frame said that the switch is held.
    this.padHeld = false;
    this.wasOtherHand = false;
    this.tickAt = performance.now();
    this.problem = "";
    for (const button of this.panel.querySelectorAll("[data-hand]")) {
      button.addEventListener("click", () => this.choose(Number(button.dataset.hand)));
    }
    for (const kind of ["blur", "pagehide"]) window.addEventListener(kind, () => this.interrupt());
    document.addEventListener("visibilitychange", () => document.hidden && this.interrupt());
    for (const button of this.panel.querySelectorAll("[data-speed]")) {
      button.addEventListener("click", () => this.setSpeed(Number(button.dataset.speed)));
    }
    link.onDriveRefused = (answer) => this.refused(answer);
    this.choose(0);
    this.setSpeed(0.5);
    setInterval(() => this.tick(), FRAME_MS);
  }

  // Hides what the robot does not have.
  begin(fixed) {
    const grippers = fixed.units.filter((unit) => unit === "fraction").length;
    byId("drive-base").hidden = !fixed.units.includes("m/s");
    byId("drive-torso").hidden = !fixed.names.some((name) => name.startsWith("torso"));
    byId("drive-hands").hidden = grippers < 2;
    for (const part of this.panel.querySelectorAll("[data-axis^=right]")) part.hidden = grippers < 2;
  }

  show(state) {
    const mine = state.control?.mine ?? false;
    const teleop = state.teleop?.state ?? "absent";
    const ready = mine && teleop !== "absent";
    if (this.ready && !ready) this.interrupt();
    this.ready = ready;
    this.panel.dataset.ready = String(ready);
    this.panel.dataset.teleop = teleop;
    for (const part of this.panel.querySelectorAll("button")) part.disabled = !ready;
    this.panel.tabIndex = ready ? 0 : -1;
    setText(byId("drive-state"), this.text(mine, state.teleop));
  }

  text(mine, teleop) {
    if (!teleop || teleop.state === "absent") {
      return "teleoperation is not running: nothing heard on teleop_command (start with teleop:=true)";
    }
    if (!mine) return "take control to drive";
    if (this.problem) return this.problem;
    if (teleop.device && teleop.device !== "page") return `${teleop.device} has control`;
    if (teleop.state === "engaged" && this.sent) return "driving: let go to hand back";
    // A page that is gone has not let go.
    if (teleop.state === "engaged") return "the robot waits for the page: press and let go to hand back";
    if (this.sent && teleop.reason) return teleop.reason;
    return "hold a pad, a button, a key, or the gamepad's left shoulder button";
  }

  choose(hand) {
    this.hand = hand;
    for (const button of this.panel.querySelectorAll("[data-hand]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.hand) === hand));
    }
  }

  setSpeed(speed) {
    this.speed = speed;
    for (const button of this.panel.querySelectorAll("[data-speed]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === speed));
    }
  }

  // Lets go at once; what is still held counts only after it was let go.
  interrupt() {
    const sent = this.sent;
    this.sent = false;
    if (this.isHeld) this.blocked = true;
    this.jog.dropAll();
    if (sent) this.letGo();
  }

  refused(answer) {
    if (answer.status === 429) return; // Thinned.
    if (this.isHeld) this.blocked = true;
    this.problem = answer.message;
    this.sent = false;
  }

  get isHeld() {
    return this.jog.isHeld || this.padHeld;
  }

  tick() {
    const now = performance.now();
    const [pad, padText] = findGamepad();
    setText(byId("gamepad"), padText);
    const read = pad ? readGamepad(pad) : null;
    this.padHeld = read?.held ?? false;
    if (read?.otherHand && !this.wasOtherHand && this.ready) this.choose(1 - this.hand);
    this.wasOtherHand = read?.otherHand ?? false;
    const silence = now - Math.min(this.tickAt, this.link.receivedAt);
    this.tickAt = now;
    if (this.sent && silence > SILENT_MS) {
      this.problem = "interrupted: let go, then press again";
      this.interrupt();
    }
    if (!this.isHeld) {
      if (this.sent || this.blocked) this.letGo();
      else if (this.leaving > 0) this.send(0, {});
      this.blocked = false;
      return;
    }
    if (!this.ready || this.blocked || document.hidden || silence > SILENT_MS) return;
    const axes = { ...(this.padHeld ? read.axes : {}) };
    for (const [name, value] of Object.entries(this.jog.axes)) {
      axes[name] = name.endsWith("_target") ? value : (axes[name] ?? 0) + value;
    }
    this.problem = "";
    this.leaving = 0;
    this.sent = true;
    this.send(1, axes);
  }

  letGo() {
    this.sent = false;
    this.leaving = LET_GO_FRAMES;
    this.send(0, {});
  }

  send(held, axes) {
    if (!held) this.leaving -= 1;
    this.link.drive({ axes: frameAxes(axes, this.speed), buttons: [held, this.hand] });
  }
}
