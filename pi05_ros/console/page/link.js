// The websocket: reconnects, and reports each shown message as seen.
import { storage } from "./page.js";

const RETRY_MS = [300, 600, 1200, 2000];
const SILENT_MS = 3000;
const HEADER = 16;
const DRIVE = 1; // Number of all frames of teleoperation; only refusals are answered.

export class Link {
  constructor() {
    this.onState = this.onPicture = this.onLink = this.onRefusal = this.onDriveRefused = () => {};
    this.seen = 0; // Number of the newest state that is shown,
    this.shown = 0; // and of the newest message of any kind.
    this.lease = 0;
    this.required = false;
    this.name = storage.get("operator");
    this.waiting = new Map(); // Request id -> callback for its answer.
    this.requests = DRIVE;
    this.tries = 0;
    this.receivedAt = 0;
    setInterval(() => this.closeIfSilent(), 500);
  }

  get isOpen() {
    return this.socket !== undefined && this.socket.readyState === WebSocket.OPEN;
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.tries = 0;
      this.receivedAt = performance.now();
      this.seen = this.shown = 0;
      this.send({ type: "hello", name: this.name });
      this.onLink(true);
    };
    socket.onmessage = (event) => this.onMessage(event.data);
    socket.onclose = () => this.closed(socket);
    this.socket = socket;
  }

  closed(socket) {
    if (socket !== this.socket) return;
    this.socket = undefined;
    this.onLink(false);
    for (const done of this.waiting.values()) done({ status: 0, message: "connection to the console lost" });
    this.waiting.clear();
    if (this.tries > 0) this.checkToken();
    const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
    setTimeout(() => this.open(), wait);
  }

  // A server with another token closes the socket without a reason.
  async checkToken() {
    try {
      const answer = await fetch("/app.js", { method: "HEAD" });
      if (answer.status === 401) location.reload(); // Shows the login page.
    } catch {
      // No server: the next attempt follows.
    }
  }

  // A half-open connection delivers nothing, not even its end.
  closeIfSilent() {
    if (this.isOpen && performance.now() - this.receivedAt > SILENT_MS) {
      const socket = this.socket;
      socket.onclose = null;
      socket.close();
      this.closed(socket);
    }
  }

  onMessage(data) {
    this.receivedAt = performance.now();
    if (typeof data !== "string") {
      const view = new DataView(data);
      this.onPicture({
        camera: view.getUint8(0),
        sequence: view.getUint32(4, true),
        stamp: view.getFloat64(8, true),
        jpeg: new Blob([new Uint8Array(data, HEADER)], { type: "image/jpeg" }),
      });
      return;
    }
    const message = JSON.parse(data);
    if (message.type === "answer") {
      const done = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      if (done) done(message);
      else if (message.id === DRIVE) this.onDriveRefused(message);
      else this.onRefusal(message);
      return;
    }
    if (message.type === "state") {
      this.lease = message.control.lease;
      this.required = message.control.required;
      const { type, n, ...changed } = message;
      this.onState(changed);
      this.seen = n;
    }
    this.shown = message.n;
    // With a dead-man switch, a hidden page does not count as an operator.
    if (!(this.required && document.hidden)) this.send({ type: "seen", seen: message.n });
  }

  // Name of the operator, for other pages and for episodes.
  setName(name) {
    this.name = name;
    storage.set("operator", name);
    this.send({ type: "hello", name });
  }

  send(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  // Sends a request; resolves to its answer {status, message}; status 0: no connection.
  request(message) {
    if (!this.isOpen) return Promise.resolve({ status: 0, message: "not connected" });
    const id = ++this.requests;
    return new Promise((done) => {
      this.waiting.set(id, done);
      this.send({ id, seen: this.seen, lease: this.lease, ...message });
    });
  }

  // Sends one frame of teleoperation.
  drive(frame) {
    this.send({ type: "drive", id: DRIVE, seen: this.seen, shown: this.shown, lease: this.lease, ...frame });
  }

  command(name, values = {}) {
    return this.request({ type: "command", name, arguments: values });
  }
}
