// Buttons and keys. Commands need control; stop works on every page, always.
import { byId, element, showMessage, setText } from "./page.js";

const STOP_RETRY_MS = 400;
const STOP_TRIES = 25;
const MAX_CLICK_AGE_MS = 2000;
const CONFIRM_MS = 4000;
const DOUBLE_CLICK_MS = 400;
const PICK_KEYS = "123456789";

export class Controls {
  constructor(link) {
    this.link = link;
    this.mine = false;
    this.holder = "";
    this.mode = "";
    this.confirmLease = 0; // Lease that a second press takes over,
    this.confirmAt = 0; // and the time of the first press.
    this.picks = [];
    this.needControl = [
      ...document.querySelectorAll("main form button, main form input, .robot button, #resume-task, .episode button, .episode input"),
    ];
    const on = (id, act) => byId(id).addEventListener("click", (event) => this.isFresh(event) && act());
    byId("stop").addEventListener("click", (event) => {
      event.preventDefault(); // The form around it is for pages without scripts.
      this.stop();
    });
    byId("stop").addEventListener("pointerdown", () => this.stop());
    on("take", () => this.take());
    on("cancel", () => this.command("cancel_task"));
    on("hand-back", () => this.command("hand_back"));
    on("resume-task", () => this.command("resume_task"));
    for (const name of ["arm", "disarm", "resume", "reset"]) on(name, () => this.command(name));
    on("episode-start", () => this.startEpisode());
    for (const button of document.querySelectorAll("[data-outcome]")) {
      button.addEventListener("click", (event) => {
        if (this.isFresh(event)) this.stopEpisode(button.dataset.outcome);
      });
    }
    byId("operator").value = link.name;
    byId("operator").addEventListener("change", (event) => link.setName(event.target.value.trim()));
    this.form("task-form", "task-text", (task) => this.command("execute_task", { task }));
    this.form("say-form", "say-text", (text) => this.command("instruct", { text }));
    document.addEventListener("keydown", (event) => this.key(event), { capture: true });
    this.show({}, {});
  }

  begin(fixed) {
    this.picks = fixed.vocabulary;
    byId("phrases").replaceChildren(
      ...this.picks.map((text) => element("option", "", { value: text })),
    );
    byId("picks").replaceChildren(
      ...this.picks.map((text, index) => {
        const button = element("button", "", { type: "button" });
        if (index < PICK_KEYS.length) button.append(element("kbd", PICK_KEYS[index]));
        button.append(text);
        button.addEventListener("click", (event) => this.isFresh(event) && this.pick(index));
        return button;
      }),
    );
  }

  show(state, changed) {
    const control = state.control;
    this.mine = control?.mine ?? false;
    this.holder = control?.holder ?? "";
    this.mode = state.robot?.mode ?? "";
    const buttons = [...this.needControl, ...byId("picks").children];
    for (const part of buttons) part.disabled = !this.mine;
    const who = this.mine ? "you hold control" : this.holder ? `${this.holder} holds control` : "nobody holds control";
    const others = control && control.watchers > 1 ? ` · ${control.watchers} pages open` : "";
    const required = control?.required ? " · operator required" : "";
    setText(byId("holder"), who + others + required);
    const asked = this.confirmLease !== 0 && performance.now() - this.confirmAt < CONFIRM_MS;
    const confirm = asked && this.confirmLease === control?.lease;
    const over = confirm ? `Confirm: from ${this.holder}` : "Take over";
    setText(byId("take"), this.mine ? "Release control" : this.holder ? over : "Take control");
    byId("take").disabled = !control;
    if (changed.task?.state === "done" || changed.task?.state === "ended") {
      if (changed.task.message) showMessage(`${changed.task.text}: ${changed.task.message}`);
    }
  }

  // Rejects a click that was delayed while this tab was suspended.
  isFresh(event) {
    if (performance.now() - event.timeStamp < MAX_CLICK_AGE_MS) return true;
    showMessage("click not sent: the page was suspended, repeat it", "bad");
    return false;
  }

  form(id, field, act) {
    byId(id).addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = byId(field).value.trim();
      if (!text || !this.isFresh(event)) return;
      byId(field).value = "";
      byId(field).blur();
      this.restore(field, text, await act(text));
    });
  }

  // Puts a rejected text back into its field.
  restore(field, text, answer) {
    if (answer.status !== 200 && !byId(field).value) byId(field).value = text;
  }

  key(event) {
    const typing = event.target.matches?.("input, textarea, select");
    if (event.key === "Escape" || (event.code === "Space" && !typing)) {
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat) this.stop();
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (!this.mine || !this.isFresh(event)) return;
    const index = PICK_KEYS.indexOf(event.key);
    if (index >= 0 && index < this.picks.length) this.pick(index);
    else if (event.key === "m") this.command("hand_back");
    else if (event.key === "/") {
      event.preventDefault();
      byId("say-text").focus();
    }
  }

  pick(index) {
    this.command("instruct", { text: this.picks[index] });
  }

  async command(name, values) {
    const answer = await this.link.command(name, values);
    showMessage(answer.message, answer.status === 200 ? "good" : "bad");
    return answer;
  }

  async take() {
    if (this.mine) {
      await this.link.request({ type: "release" });
      return;
    }
    const over = this.holder ? this.link.lease : 0;
    const now = performance.now();
    if (over && (over !== this.confirmLease || now - this.confirmAt > CONFIRM_MS)) {
      // Confirmed in the page: a dialog of the browser would block stop.
      this.confirmLease = over;
      this.confirmAt = now;
      return;
    }
    if (over && now - this.confirmAt < DOUBLE_CLICK_MS) return;
    this.confirmLease = 0;
    const answer = await this.link.request({ type: "take", lease: over });
    showMessage(answer.message, answer.status === 200 ? "good" : "bad");
  }

  async startEpisode() {
    const notes = byId("episode-notes").value;
    byId("episode-notes").value = "";
    const answer = await this.command("start_episode", {
      task: "", operator_name: this.link.name.slice(0, 40), home: "", notes,
    });
    this.restore("episode-notes", notes, answer);
  }

  stopEpisode(outcome) {
    return this.command("stop_episode", { outcome, notes: "" });
  }

  // Sends stop by websocket and by plain HTTP, repeatedly until the robot confirms one of them.
  async stop() {
    if (this.stopping) return;
    this.stopping = true;
    const button = byId("stop");
    button.classList.add("pressed");
    const begun = performance.now();
    let done = null, last = "no response";
    for (let attempt = 0; attempt < STOP_TRIES && !done; attempt++) {
      const ways = [this.stopByHttp()];
      if (this.link.isOpen) ways.push(this.link.request({ type: "stop" }));
      const confirmed = ways.map(async (way) => {
        const answer = await way;
        if (answer.status === 200) return answer;
        last = answer.message;
        throw new Error(answer.message);
      });
      const pause = new Promise((resolve) => setTimeout(resolve, STOP_RETRY_MS));
      done = await Promise.race([Promise.any(confirmed).catch(() => pause.then(() => null)), pause.then(() => null)]);
      if (attempt === 1 && !done) {
        showMessage(`STOP NOT CONFIRMED (${last}). USE THE HARDWARE STOP.`, "bad", 15000);
      }
    }
    button.classList.remove("pressed");
    this.stopping = false;
    if (done) showMessage(`stopped, confirmed in ${Math.round(performance.now() - begun)} ms`, "good");
    else showMessage(`STOP NOT CONFIRMED (${last}). USE THE HARDWARE STOP.`, "bad", 15000);
  }

  async stopByHttp() {
    try {
      const response = await fetch("/api/stop", {
        method: "POST", keepalive: true, signal: AbortSignal.timeout(1500),
      });
      return await response.json();
    } catch (error) {
      return { status: 0, message: "no response from the console" };
    }
  }
}
