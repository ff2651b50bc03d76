// Changes of the labels: undone one by one, and saved one after the other.
import { byId, showMessage } from "/page.js";

const MOST_UNDONE = 200;

export class Edits {
  constructor(state, onChange) {
    this.state = state;
    this.onChange = onChange;
    this.before = []; // Labels to go back to, newest last.
    this.good = state.labels; // As they are saved.
    this.saving = false;
    this.unsaved = false;
    this.conflict = false;
    window.addEventListener("beforeunload", (event) => {
      if (this.unsaved || this.saving) event.preventDefault();
    });
    this.report(state.labels.version ? "saved" : "as recorded: nothing is saved yet");
  }

  get canUndo() {
    return this.before.length > 0;
  }

  apply(change) {
    this.before.push(this.state.labels);
    if (this.before.length > MOST_UNDONE) this.before.shift();
    this.state.labels = change(this.state.labels);
    this.save();
  }

  undo() {
    if (!this.canUndo) return false;
    const { spans, done } = this.before.pop();
    this.state.labels = { ...this.state.labels, spans, done };
    this.save();
    return true;
  }

  async reload() {
    const answer = await fetch("/api/labels");
    const read = await answer.json();
    if (!answer.ok) {
      showMessage(read.message, "bad");
      return;
    }
    this.state.labels = this.good = read;
    this.before = [];
    this.conflict = this.unsaved = false;
    byId("reload").hidden = true;
    this.report("saved");
    this.onChange();
  }

  async save() {
    this.unsaved = true;
    if (this.saving || this.conflict) return;
    this.saving = true;
    try {
      while (this.unsaved && !this.conflict) await this.send();
    } finally {
      this.saving = false;
    }
  }

  async send() {
    this.unsaved = false;
    this.report("saving …");
    const sent = this.state.labels;
    const { version, spans, done } = sent;
    let answer, read;
    try {
      answer = await fetch("/api/labels", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ version, spans, done }),
      });
      read = await answer.json();
    } catch {
      this.unsaved = true;
      this.report("not saved: ./pi05 bags label has ended", "bad");
      throw new Error("the labels are not saved: ./pi05 bags label has ended");
    }
    if (answer.ok) {
      const known = { version: read.version, vocabulary: read.vocabulary };
      this.good = { ...sent, ...known };
      // Edits that were made meanwhile are saved next.
      this.state.labels = this.state.labels === sent ? this.good
        : { ...this.state.labels, ...known };
      this.report(`saved ${new Date().toLocaleTimeString()}`);
    } else if (answer.status === 400) {
      // Not valid: back to what is saved.
      while (this.canUndo && this.before.pop() !== this.good);
      this.state.labels = this.good;
      this.unsaved = false;
      this.report("saved");
      showMessage(read.message, "bad", 8000);
    } else {
      this.unsaved = true;
      this.conflict = answer.status === 409;
      byId("reload").hidden = !this.conflict;
      this.report(this.conflict ? "not saved: changed elsewhere" : "not saved", "bad");
      showMessage(read.message, "bad", 12000);
      if (!this.conflict) throw new Error(read.message);
    }
    this.onChange();
  }

  report(text, kind = "") {
    const line = byId("saved");
    line.textContent = text;
    line.dataset.kind = kind;
  }
}
