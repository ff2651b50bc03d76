// The timeline: who drove, recorded subtasks, labels, cursor and selection.
import { byId, element } from "/page.js";

const COLOURS = 8;
const known = new Map();

// A colour for each text, in the order in which texts appear.
export function colourOf(text) {
  if (!known.has(text)) known.set(text, known.size % COLOURS);
  return known.get(text);
}

export function seconds(time) {
  return `${time.toFixed(2)} s`;
}

export class Tracks {
  constructor(episode, { select, seek }) {
    this.episode = episode;
    this.select = select;
    for (const { start, end, driver } of episode.drivers) {
      byId("drivers").append(this.bar(start, end, driver, driver));
    }
    for (const { start, end, text, source } of episode.recorded) {
      byId("recorded").append(this.bar(start, end, text, "recorded", ` (${source})`));
    }
    this.rule();
    for (const lane of document.querySelectorAll(".lane, .ruler")) {
      lane.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        const move = (moved) => seek(this.timeAt(lane, moved));
        move(event);
        lane.setPointerCapture(event.pointerId);
        lane.onpointermove = move;
        lane.onpointerup = lane.onpointercancel = () => {
          lane.onpointermove = null;
        };
      });
    }
    byId("spans").addEventListener("click", (event) => {
      const time = this.timeAt(byId("spans"), event);
      this.select(this.spans.find((span) => span.start <= time && time < span.end) || null);
    });
  }

  timeAt(lane, event) {
    const box = lane.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    return Math.min(Math.max(0, share), 1) * this.episode.seconds;
  }

  bar(start, end, text, kind, more = "") {
    const node = element("div", text, { "data-kind": kind });
    node.title = `${text}${more}: ${seconds(start)} to ${seconds(end)}`;
    node.style.left = this.share(start);
    node.style.width = this.share(end - start);
    return node;
  }

  share(time) {
    return `${(100 * time) / this.episode.seconds}%`;
  }

  rule() {
    const rough = this.episode.seconds / 10;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * unit).find((n) => n >= rough);
    for (let n = 0; n * step <= this.episode.seconds * 0.98; n += 1) {
      const node = element("span", `${Number((n * step).toPrecision(6))} s`);
      node.style.left = this.share(n * step);
      byId("ruler").append(node);
    }
  }

  show(state, chosen) {
    const { spans, done } = state.labels;
    this.spans = spans;
    byId("spans").replaceChildren(
      ...spans.map((span) => {
        const node = this.bar(span.start, span.end, span.text, "label", ` (${span.source})`);
        node.dataset.colour = colourOf(span.text);
        node.setAttribute("aria-selected", span.start === state.selected);
        return node;
      }),
    );
    byId("done-marks").replaceChildren(
      ...done.map((time) => {
        const mark = element("div", "", { class: "done" });
        mark.style.left = this.share(time);
        mark.toggleAttribute("data-late", time > 0.9 * this.episode.seconds);
        return mark;
      }),
    );
    this.showSelection(state.selected === null ? chosen : null);
  }

  showTime(time, chosen) {
    byId("cursor").style.left = this.share(time);
    this.showSelection(chosen);
  }

  showSelection(chosen) {
    const node = byId("selection");
    node.hidden = chosen === null;
    if (chosen === null) return;
    node.style.left = this.share(chosen[0]);
    node.style.width = this.share(chosen[1] - chosen[0]);
  }
}
