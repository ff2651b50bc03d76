// State of the page: the newest sections of the server, passed to each part.
import { Link } from "./link.js";
import { Cameras } from "./cameras.js";
import { Timeline } from "./timeline.js";
import { Plot } from "./plot.js";
import { Controls } from "./controls.js";
import { Drive } from "./drive.js";
import { showStatus } from "./status.js";
import { byId, showMessage } from "./page.js";

const link = new Link();
const cameras = new Cameras(byId("cameras"));
const timeline = new Timeline(byId("timeline"), byId("legend"));
const plot = new Plot(byId("plot"), byId("groups"), byId("plot-legend"));
const controls = new Controls(link);
const drive = new Drive(link);
const state = {};

link.onState = (changed) => {
  Object.assign(state, changed);
  if (changed.static) {
    cameras.begin(changed.static.cameras);
    plot.begin(changed.static);
    controls.begin(changed.static);
    drive.begin(changed.static);
  }
  if (changed.subtask) cameras.boxes = changed.subtask.boxes;
  if (changed.timeline) timeline.entries = changed.timeline;
  if (changed.chunk !== undefined) plot.chunk = changed.chunk;
  if (changed.robot) plot.add(changed.robot);
  if (state.robot && state.robot.now) timeline.now = state.robot.now;
  showStatus(state, changed);
  controls.show(state, changed);
  drive.show(state);
};
link.onPicture = (picture) => cameras.put(picture);
link.onLink = (on) => {
  const mark = byId("link");
  mark.toggleAttribute("data-on", on);
  mark.textContent = on ? "connected" : "offline, reconnecting";
  if (!on) {
    for (const name of Object.keys(state)) delete state[name];
    showStatus(state, {});
    controls.show(state, {});
    drive.show(state);
    cameras.lost();
  }
};
link.onRefusal = (answer) => showMessage(answer.message, "bad");

let drawing = false; // One request at a time: those of a hidden tab would all run at once later.
function draw() {
  drawing = false;
  cameras.tick();
  timeline.draw();
  plot.draw();
}
setInterval(() => {
  if (!drawing) requestAnimationFrame(draw);
  drawing = true;
}, 125);
link.open();
