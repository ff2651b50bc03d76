// A gamepad in the browser's standard mapping, as axes of a frame; see docs/console.md.
const DEAD_ZONE = 0.12;
const PRESSED = 0.5;
const SQUEEZED = 0.05;
const BUTTON = { openRight: 1, openLeft: 2, otherHand: 3, deadMan: 4, handMode: 5, left: 6, right: 7,
  up: 12, down: 13, west: 14, east: 15 };

// Scales what is beyond the dead zone to the whole range.
export function stick(value) {
  const beyond = Math.abs(value) - DEAD_ZONE;
  return beyond > 0 ? (Math.sign(value) * Math.min(beyond, 1 - DEAD_ZONE)) / (1 - DEAD_ZONE) : 0;
}

// The first gamepad with a standard mapping; and what to tell the operator.
export function findGamepad() {
  if (!navigator.getGamepads) return [null, "gamepads need https, or this page on localhost (ssh -L)"];
  const pads = [...navigator.getGamepads()].filter((pad) => pad?.connected);
  const pad = pads.find((one) => one.mapping === "standard") ?? null;
  if (pad) return [pad, `gamepad: ${pad.id.split("(")[0].trim() || "standard"}`];
  return [null, pads.length ? "this gamepad has no standard mapping" : "no gamepad: connect one and press a button"];
}

// Reads a gamepad: {held, otherHand, axes}. Axes are of the greatest speed; grippers null: keep.
export function readGamepad(pad) {
  const value = (index) => pad.buttons[index]?.value ?? 0;
  const down = (index) => value(index) > PRESSED;
  const [x, y, turn, lift] = [0, 1, 2, 3].map((index) => -stick(pad.axes[index] ?? 0));
  const axes = {};
  if (down(BUTTON.handMode)) {
    Object.assign(axes, { hand_x: y, hand_y: x, hand_z: lift, hand_yaw: turn });
    axes.hand_pitch = value(BUTTON.up) - value(BUTTON.down);
    axes.hand_roll = value(BUTTON.east) - value(BUTTON.west);
  } else {
    Object.assign(axes, { base_vx: y, base_vy: x, base_wz: turn, torso: lift });
  }
  const gripper = (trigger, open) =>
    down(open) ? 1 : value(trigger) > SQUEEZED ? 1 - Math.min(1, value(trigger)) : null;
  axes.left_gripper_target = gripper(BUTTON.left, BUTTON.openLeft);
  axes.right_gripper_target = gripper(BUTTON.right, BUTTON.openRight);
  return { held: down(BUTTON.deadMan), otherHand: down(BUTTON.otherHand), axes };
}
