// Texts of the page: mode, subtask, episode, numbers.
import { byId, element, setText } from "./page.js";

const percent = (value) => (value === null ? "" : `${Math.round(value * 100)} %`);
const bytes = (count) =>
  count > 1e9 ? `${(count / 1e9).toFixed(1)} GB` : `${(count / 1e6).toFixed(1)} MB`;

export function showStatus(state, changed) {
  showMode(state);
  showDriver(state);
  showSuspension(state);
  if (changed.static) setText(byId("platform"), changed.static.platform);
  showSubtask(state);
  if (changed.episode || changed.recording) showEpisode(state);
  if (changed.health) showHealth(changed.health);
  if (changed.diagnostics) showDiagnostics(changed.diagnostics, state.static?.namespace ?? "");
  if (changed.decisions) showDecisions(changed.decisions);
}

function showMode(state) {
  const banner = byId("banner");
  let mode = "offline", title = "NO CONNECTION", reason = "no response from the console";
  if (state.control) {
    mode = state.robot?.mode ?? "silent";
    title = mode.toUpperCase();
    reason = state.robot?.reason ?? "no robot state received yet";
    if (state.graph && state.graph !== "active") reason = `graph ${state.graph}. ${reason}`;
  }
  banner.dataset.mode = mode;
  setText(byId("mode"), title);
  setText(byId("reason"), reason);
  document.title = `${title} · pi05 console`;
}

// Who drives, in words; empty without a robot state.
export function driverText(robot, teleop) {
  if (!robot?.measured) return "";
  if (teleop?.state === "aligning") {
    const far = teleop.error === null ? "" : `${teleop.error} from the robot`;
    return `aligning: ${teleop.reason || far || teleop.device}`;
  }
  if (robot.control === "policy") return "the model drives";
  if (robot.control !== "teleop") return "nobody drives";
  return teleop?.device ? `operator drives (${teleop.device})` : "operator drives";
}

function showDriver(state) {
  const text = state.control ? driverText(state.robot, state.teleop) : "";
  const line = byId("driver");
  line.hidden = text === "";
  line.dataset.control = state.teleop?.state === "aligning" ? "aligning" : state.robot?.control ?? "";
  setText(line, text);
}

// A task that a stop or a fault suspended, by the planner's diagnostics.
function showSuspension(state) {
  const name = `${(state.static?.namespace ?? "").slice(1)}/planner`;
  const why = state.diagnostics?.[name]?.values?.suspended ?? "";
  byId("suspended").hidden = why === "";
  setText(byId("suspended-why"), `the task is suspended: ${why}`);
}

function showSubtask(state) {
  const subtask = state.subtask;
  const card = byId("now");
  card.dataset.source = subtask?.text ? subtask.source : "";
  setText(byId("task"), subtask?.task || "none");
  setText(byId("subtask"), subtask?.text || "nothing to do");
  setText(byId("source"), subtask?.text ? subtask.source : "");
  const score = subtask?.score ?? null;
  setText(byId("confidence"), subtask?.text && score !== null ? `score ${percent(score)}` : "");
  const decision = state.decisions?.[0];
  setText(byId("why"), decision ? `· ${decision.reason}` : "");
  const points = state.score;
  setText(byId("score"), points ? `${points.points} / ${points.max_points} points` : "");
  const model = byId("model");
  model.hidden = !(subtask?.source === "human" && subtask.model_answered);
  if (!model.hidden) {
    const said = element("b", subtask.model_text || "the task is done");
    model.replaceChildren("the model would have said ", said, ` ${percent(subtask.model_score)}`);
  }
}

function showEpisode(state) {
  const episode = state.episode;
  if (!episode) return;
  const on = episode.state === "recording";
  byId("episode-card").dataset.state = episode.state;
  setText(byId("episode-state"), episode.state);
  byId("episode-start-row").hidden = on;
  byId("episode-stop-row").hidden = !on;
  const known = episode.id !== "";
  const facts = known
    ? `${episode.duration.toFixed(0)} s · ${episode.messages} messages · ${bytes(episode.bytes)}`
    : "";
  setText(byId("episode-facts"), facts);
  const last = [episode.outcome, episode.message, episode.path].filter(Boolean).join(" · ");
  setText(byId("episode-path"), last);
  showRecording(on ? state.recording : null);
}

function showRecording(recording) {
  const box = byId("recording");
  box.replaceChildren();
  if (!recording) return;
  const sum = (key) => recording.topics.reduce((all, t) => all + Math.max(0, t[key]), 0);
  const lost = sum("lost"), dropped = sum("dropped");
  const line = `${recording.topics.length} topics · ${bytes(recording.write_rate)}/s · `;
  const losses = element("span", `${lost} lost, ${dropped} dropped`);
  if (lost + dropped) losses.className = "bad-text";
  box.append(line, losses, ` · ${bytes(recording.free_bytes)} free`);
  for (const topic of recording.topics) {
    if (!topic.problem && topic.lost <= 0 && !topic.dropped) continue;
    const what = topic.problem || `${topic.lost} lost, ${topic.dropped} dropped`;
    box.append(element("p", `${topic.name}: ${what}`, { class: "bad-text" }));
  }
}

function showHealth(health) {
  const lines = [];
  const add = (name, text) => {
    const line = element("div");
    line.append(element("span", name.replaceAll("_", " ")), text);
    lines.push(line);
  };
  for (const [name, rate] of Object.entries(health.rates)) add(name, `${rate.toFixed(1)} Hz`);
  for (const [name, value] of Object.entries(health.latencies)) {
    if (value !== null) add(name, `${Math.round(value * 1000)} ms`);
  }
  byId("health").replaceChildren(...lines);
}

function showDiagnostics(diagnostics, namespace) {
  // Nodes of other namespaces on /diagnostics keep their full names.
  const ours = `${namespace.slice(1)}/`;
  const short = (name) => (name.startsWith(ours) ? name.slice(ours.length) : name);
  const worst = Object.entries(diagnostics).sort(
    ([one, a], [other, b]) => b.level - a.level || one.localeCompare(other),
  );
  byId("diagnostics").replaceChildren(
    ...worst.map(([name, status]) => {
      const line = element("li", "", { "data-level": status.level });
      line.append(element("span", short(name)), element("span", status.message));
      return line;
    }),
  );
}

function showDecisions(decisions) {
  byId("decisions").replaceChildren(
    ...decisions.map((decision) => {
      const line = element("li", `${decision.outcome}: ${decision.answer || "–"} `);
      const score = decision.score === null ? "" : ` · ${percent(decision.score)}`;
      line.append(element("small", `${decision.trigger}${score} · ${decision.reason}`));
      return line;
    }),
  );
}
