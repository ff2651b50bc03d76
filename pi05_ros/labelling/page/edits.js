// Changes of the labels: undone one by one, and saved one after the other.
import { byId, showMessage } from "/page.js";

const MOST_UNDONE = 200;

export class Edits {
  constructor(state, onChange) {
    this.state = state;
    this.onChange = onChange;
    this.before = []; // Labels, and what was marked, to go back to; newest last.
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
    const { labels, selected, start, end } = this.state;
    this.before.push({ labels, selected, start, end });
    if (this.before.length > MOST_UNDONE) this.before.shift();
    this.state.labels = change(labels);
    this.save();
  }

  undo() {
    if (!this.canUndo) return false;
    const { version, vocabulary } = this.state.labels;
    Object.assign(this.state, this.before.pop());
    this.state.labels = { ...this.state.labels, version, vocabulary };
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
    Object.assign(this.state, { selected: null, start: null, end: null });
    this.report(read.version ? "saved" : "nothing is saved yet");
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
      for (const entry of this.before) if (entry.labels === sent) entry.labels = this.good;
      // Edits that were made meanwhile are saved next.
      this.state.labels = this.state.labels === sent ? this.good
        : { ...this.state.labels, ...known };
      if (!this.unsaved) this.report(`saved ${new Date().toLocaleTimeString()}`);
    } else if (answer.status === 400) {
      // Not valid: back to what is saved.
      let entry;
      do entry = this.before.pop() ?? { labels: this.good };
      while (entry.labels !== this.good);
      Object.assign(this.state, entry);
      this.unsaved = false;
      this.report(this.good.version ? "saved" : "nothing is saved yet");
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
