// The websocket: opened again and again, and each message that was shown is said to be seen.
import { memory } from "./page.js";

const RETRY_MS = [300, 600, 1200, 2000];
const SILENT_MS = 3000;
const HEADER = 16;

export class Link {
  constructor() {
    this.onState = this.onPicture = this.onLink = this.onRefusal = () => {};
    this.seen = 0; // Number of the newest state that is shown.
    this.lease = 0;
    this.required = false;
    this.name = memory.get("operator");
    this.waiting = new Map(); // Request -> what to call with its answer.
    this.requests = 0;
    this.tries = 0;
    this.heard = 0;
    setInterval(() => this.watch(), 500);
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
      this.heard = performance.now();
      this.seen = 0;
      this.post({ type: "hello", name: this.name });
      this.onLink(true);
    };
    socket.onmessage = (event) => this.take(event.data);
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

  // A server with another token than ours refuses the socket without saying why.
  async checkToken() {
    try {
      const answer = await fetch("/app.js", { method: "HEAD" });
      if (answer.status === 401) location.reload(); // Which asks for the token.
    } catch {
      // No server: tried again anyway.
    }
  }

  // A half-open line says nothing any more, not even that it is closed.
  watch() {
    if (this.isOpen && performance.now() - this.heard > SILENT_MS) {
      const socket = this.socket;
      socket.onclose = null;
      socket.close();
      this.closed(socket);
    }
  }

  take(data) {
    this.heard = performance.now();
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
    // With a dead-man switch, a page that nobody can see is no operator.
    if (!(this.required && document.hidden)) this.post({ type: "seen", seen: message.n });
  }

  // What the operator is called, for the others and for episodes.
  call(name) {
    this.name = name;
    memory.set("operator", name);
    this.post({ type: "hello", name });
  }

  post(message) {
    if (this.isOpen) this.socket.send(JSON.stringify(message));
  }

  // Sends a request; gives its answer {status, message}; status 0: there is no connection.
  ask(message) {
    if (!this.isOpen) return Promise.resolve({ status: 0, message: "not connected" });
    const id = ++this.requests;
    return new Promise((done) => {
      this.waiting.set(id, done);
      this.post({ id, seen: this.seen, lease: this.lease, ...message });
    });
  }

  command(name, values = {}) {
    return this.ask({ type: "command", name, arguments: values });
  }
}
