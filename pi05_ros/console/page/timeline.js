// The subtasks of the last minute as bars, coloured by source.
import { colour, element, fit } from "./page.js";

const SPAN_S = 60;
const SOURCES = ["model", "human", "external", "implicit"];

export class Timeline {
  constructor(canvas, legend) {
    this.canvas = canvas;
    this.entries = [];
    this.now = 0;
    for (const source of SOURCES) {
      const mark = element("i");
      mark.style.background = `var(--${source})`;
      const line = element("span");
      line.append(mark, source);
      legend.append(line);
    }
  }

  draw() {
    const [context, width, height] = fit(this.canvas);
    const at = (time) => width - ((this.now - time) / SPAN_S) * width;
    const bar = height - 20;
    context.font = "13px system-ui, sans-serif";
    context.fillStyle = colour("dim");
    for (let back = 0; back <= SPAN_S; back += 15) {
      const x = width - (back / SPAN_S) * width;
      context.textAlign = back === 0 ? "right" : back === SPAN_S ? "left" : "center";
      context.fillText(back === 0 ? "now" : `−${back} s`, x, height - 3);
    }
    context.textAlign = "left";
    this.entries.forEach((entry, index) => {
      const next = this.entries[index + 1];
      const end = next ? next.from : this.now;
      const left = Math.max(0, at(entry.from)), right = Math.min(width, at(end));
      if (!entry.text || right <= 0 || right - left < 0.5) return;
      context.fillStyle = colour(SOURCES.includes(entry.source) ? entry.source : "dim");
      context.fillRect(left, 2, Math.max(1, right - left - 1.5), bar - 2);
      if (right - left < 26) return;
      context.save();
      context.beginPath();
      context.rect(left, 0, right - left - 4, bar);
      context.clip();
      context.fillStyle = colour("back");
      context.font = "600 13px system-ui, sans-serif";
      context.fillText(entry.text, left + 6, bar / 2 + 6);
      context.restore();
    });
  }
}
