// The page's state, its buttons and keys. Times are seconds since the episode's first row.
import { byId, showMessage } from "/page.js";
import { Edits } from "/edits.js";
import { Player } from "/player.js";
import { Tracks, seconds } from "/tracks.js";
import { showLists } from "/lists.js";

const state = {
  episode: null,
  labels: { version: "", spans: [], done: [], vocabulary: [] },
  selected: null, // A span of labels.spans, by its start.
  start: null, // Marked start and end of what the next subtask labels.
  end: null,
};
let player, tracks, edits;

function selectedSpan() {
  return state.labels.spans.find((span) => span.start === state.selected) || null;
}

// What the next subtask labels: the marked interval, or from the marked start to here.
function interval() {
  const span = selectedSpan();
  if (span) return [span.start, span.end];
  const start = state.start ?? 0;
  const end = state.end ?? (player.time > start ? player.time : null);
  return end === null || end <= start ? null : [start, end];
}

function select(span) {
  state.selected = span ? span.start : null;
  state.start = state.end = null;
  show();
}

function label(text) {
  const chosen = interval();
  if (!chosen) {
    showMessage("Mark a start with [ and play on, or move beyond it", "bad");
    return;
  }
  const old = selectedSpan();
  const span = { start: chosen[0], end: chosen[1], text, task: old ? old.task : "", source: "human" };
  edits.apply((labels) => ({ ...labels, spans: cut(labels.spans, ...chosen, span) }));
  state.selected = null;
  // The next subtask begins where this one ends.
  state.start = chosen[1];
  state.end = null;
  show();
}

// Remove an interval from spans, and put a span there.
function cut(spans, start, end, span = null) {
  const kept = [];
  for (const one of spans) {
    if (one.start < start) kept.push({ ...one, end: Math.min(one.end, start) });
    if (one.end > end) kept.push({ ...one, start: Math.max(one.start, end) });
  }
  return [...kept, ...(span ? [span] : [])].sort((a, b) => a.start - b.start);
}

function mark(edge) {
  const time = player.time;
  const span = selectedSpan();
  if (!span) {
    state[edge] = time;
    if (state.start !== null && state.end !== null && state.end <= state.start) {
      state[edge === "start" ? "end" : "start"] = null;
    }
    show();
    return;
  }
  const moved = { ...span, [edge]: time };
  if (!(moved.start < moved.end)) {
    showMessage("The start must lie before the end", "bad");
    return;
  }
  const others = state.labels.spans.filter((one) => one !== span);
  edits.apply((labels) => ({ ...labels, spans: cut(others, moved.start, moved.end, moved) }));
  state.selected = moved.start;
  show();
}

function erase() {
  const marked = state.start !== null && state.end !== null;
  const chosen = selectedSpan() || marked ? interval() : null;
  if (!chosen) {
    showMessage("Select a label, or mark a start and an end", "bad");
    return;
  }
  edits.apply((labels) => ({ ...labels, spans: cut(labels.spans, ...chosen) }));
  select(null);
}

// Mark here that the task is done, or take the mark away that is here.
function markDone() {
  const others = state.labels.done.filter((time) => Math.abs(time - player.time) > 1e-3);
  const done = others.length < state.labels.done.length ? others : [...others, player.time];
  edits.apply((labels) => ({ ...labels, done: done.sort((a, b) => a - b) }));
  show();
}

function undo() {
  if (!edits.undo()) showMessage("There is nothing to undo");
  show();
}

function show() {
  const span = selectedSpan();
  if (!span) state.selected = null;
  tracks.show(state, interval());
  showLists(state, interval(), { select, label, seek: (time) => player.seek(time) });
  byId("undo").disabled = !edits.canUndo;
  showTime();
}

function showTime() {
  tracks.showTime(player.time, state.selected === null ? interval() : null);
  byId("time").textContent = `${seconds(player.time)} of ${seconds(state.episode.seconds)}`;
  const here = state.labels.spans.find((s) => s.start <= player.time && player.time < s.end);
  byId("here").textContent = here ? here.text : "no subtask";
}

const KEYS = {
  " ": () => player.toggle(),
  ArrowLeft: (event) => player.step(-1, event.shiftKey),
  ArrowRight: (event) => player.step(1, event.shiftKey),
  Home: () => player.seek(0),
  End: () => player.seek(state.episode.seconds),
  "[": () => mark("start"),
  "]": () => mark("end"),
  "/": () => byId("text").focus(),
  Delete: erase,
  Backspace: erase,
  d: markDone,
  z: undo,
  Escape: () => select(null),
};

function onKey(event) {
  if (!edits || event.altKey) return;
  const typing = event.target.matches("input, select, textarea");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if ((event.ctrlKey || event.metaKey) && key !== "z") return;
  const digit = /^[0-9]$/.test(key) ? (Number(key) + 9) % 10 : -1;
  const text = state.labels.vocabulary[digit];
  const action = digit < 0 ? KEYS[key] : text && (() => label(text));
  if (!action) return;
  event.preventDefault();
  action(event);
}

async function begin() {
  const answer = await fetch("/api/episode");
  const labels = await fetch("/api/labels");
  const read = await Promise.all([answer.json(), labels.json()]);
  if (!answer.ok || !labels.ok) throw new Error((answer.ok ? read[1] : read[0]).message);
  [state.episode, state.labels] = read;
  byId("task").textContent = state.episode.task || "no task";
  byId("episode").textContent = state.episode.folder;
  document.title = `Labels: ${state.episode.id}`;
  edits = new Edits(state, show);
  player = new Player(state.episode, showTime);
  tracks = new Tracks(state.episode, { select, seek: (time) => player.seek(time) });
  for (const reason of state.episode.unfit) {
    showMessage(`A recorded subtask cannot be kept: ${reason}`, "bad", 15000);
  }
  byId("play").onclick = () => player.toggle();
  byId("speed").onchange = (event) => {
    player.speed = Number(event.target.value);
    event.target.blur();
  };
  byId("start").onclick = () => mark("start");
  byId("stop").onclick = () => mark("end");
  byId("erase").onclick = erase;
  byId("done").onclick = markDone;
  byId("undo").onclick = undo;
  byId("reload").onclick = () => edits.reload();
  byId("typed").onsubmit = (event) => {
    event.preventDefault();
    const text = byId("text").value.trim();
    if (text) label(text);
    byId("text").value = "";
    byId("text").blur();
  };
  document.addEventListener("keydown", onKey);
  // A button that was pressed must not take the next Space.
  document.addEventListener("click", (event) => event.target.closest("button")?.blur());
  show();
  // Where every camera has a picture.
  player.seek(Math.max(0, ...state.episode.cameras.map((camera) => camera.times[0] ?? 0)));
}

begin().catch((error) => {
  byId("task").textContent = "The episode cannot be shown";
  showMessage(String(error.message || error), "bad", 60000);
});
