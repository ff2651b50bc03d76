// Measured and commanded values, and the newest chunk.
import { colour, element, fit } from "./page.js";

const PAST_S = 8;
const AHEAD_S = 2;
const COLOURS = ["#6cb6ff", "#ffb454", "#7ee2a8", "#ff8fa3", "#b9a3ff", "#5fd4d6"];

export class Plot {
  constructor(canvas, tabs, legend) {
    Object.assign(this, { canvas, tabs, legend });
    this.groups = [];
    this.samples = [];
    this.chunk = null;
    this.group = null;
  }

  begin(fixed) {
    this.names = fixed.names;
    this.units = fixed.units;
    this.groups = fixed.groups;
    this.samples = [];
    this.tabs.replaceChildren(
      ...fixed.groups.map((group) => {
        const tab = element("button", group.name.replaceAll("_", " "), { type: "button" });
        tab.onclick = () => this.choose(group);
        return tab;
      }),
    );
    this.choose(this.groups.find((g) => g.name === this.group?.name) || this.groups[0]);
  }

  choose(group) {
    this.group = group;
    [...this.tabs.children].forEach((tab, index) =>
      tab.setAttribute("aria-pressed", String(this.groups[index] === group)),
    );
    const lines = [];
    for (let index = group.begin; index < group.end; index++) {
      const mark = element("i");
      mark.style.background = COLOURS[(index - group.begin) % COLOURS.length];
      const line = element("span");
      const short = this.names[index].replace(`${group.name}_`, "").replaceAll("_", " ");
      line.append(mark, `${short} [${this.units[index] === "fraction" ? "–" : this.units[index]}]`);
      lines.push(line);
    }
    lines.push(element("span", "solid: measured · dotted: commanded · faint: the newest chunk"));
    this.legend.replaceChildren(...lines);
  }

  add(robot) {
    if (!robot.measured) return;
    const last = this.samples[this.samples.length - 1];
    if (last && robot.now < last.now) this.samples = [];
    this.samples.push(robot);
    while (this.samples.length && robot.now - this.samples[0].now > PAST_S) this.samples.shift();
  }

  draw() {
    const [context, width, height] = fit(this.canvas);
    const last = this.samples[this.samples.length - 1];
    if (!last || !this.group) return;
    const { begin, end } = this.group;
    const rows = this.chunk
      ? this.chunk.rows.map((row, k) => [this.chunk.start + k * this.chunk.period, row])
      : [];
    const ahead = rows.filter(([t]) => t > last.now - PAST_S && t < last.now + AHEAD_S);
    let low = Infinity, high = -Infinity;
    const stretch = (row) => {
      for (let i = begin; i < end; i++) {
        if (row[i] === null || row[i] === undefined) continue;
        low = Math.min(low, row[i]);
        high = Math.max(high, row[i]);
      }
    };
    for (const sample of this.samples) stretch(sample.measured), stretch(sample.commanded);
    for (const [, row] of ahead) stretch(row);
    if (!(high > low - 1)) return;
    const margin = Math.max(0.02, (high - low) * 0.08);
    [low, high] = [low - margin, high + margin];
    const x = (t) => ((t - last.now + PAST_S) / (PAST_S + AHEAD_S)) * width;
    const y = (v) => height - 18 - ((v - low) / (high - low)) * (height - 24);
    this.axes(context, width, height, x, y, last.now, low, high);
    for (let index = begin; index < end; index++) {
      context.strokeStyle = COLOURS[(index - begin) % COLOURS.length];
      const line = (points, dash, alpha, thick) => {
        context.setLineDash(dash);
        context.globalAlpha = alpha;
        context.lineWidth = thick;
        context.beginPath();
        let on = false;
        for (const [t, v] of points) {
          if (v === null || v === undefined) { on = false; continue; }
          if (on) context.lineTo(x(t), y(v));
          else context.moveTo(x(t), y(v));
          on = true;
        }
        context.stroke();
      };
      line(ahead.map(([t, row]) => [t, row[index]]), [], 0.4, 5);
      line(this.samples.map((s) => [s.now, s.commanded[index]]), [2, 3], 0.9, 1.5);
      line(this.samples.map((s) => [s.now, s.measured[index]]), [], 1, 2);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  axes(context, width, height, x, y, now, low, high) {
    context.strokeStyle = colour("line");
    context.fillStyle = colour("dim");
    context.font = "12px system-ui, sans-serif";
    context.lineWidth = 1;
    for (const value of [low + (high - low) * 0.1, (low + high) / 2, high - (high - low) * 0.1]) {
      context.beginPath();
      context.moveTo(0, y(value));
      context.lineTo(width, y(value));
      context.stroke();
      context.fillText(value.toFixed(2), 2, y(value) - 3);
    }
    context.strokeStyle = colour("dim");
    context.beginPath();
    context.moveTo(x(now), 0);
    context.lineTo(x(now), height - 16);
    context.stroke();
    context.textAlign = "center";
    for (let t = -PAST_S; t <= AHEAD_S; t += 2) {
      if (t === -PAST_S || t === AHEAD_S) continue;
      context.fillText(t === 0 ? "now" : `${t > 0 ? "+" : "−"}${Math.abs(t)} s`, x(now + t), height - 3);
    }
    context.textAlign = "left";
  }
}
