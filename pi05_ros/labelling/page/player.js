// Plays and scrubs the cameras' pictures: each shows the newest one that is not later than now.
import { byId, element } from "/page.js";

export class Player {
  constructor(episode, onTime) {
    this.episode = episode;
    this.onTime = onTime;
    this.time = 0;
    this.speed = 1;
    this.playing = false;
    const place = byId("cameras");
    place.dataset.count = episode.cameras.length;
    this.cameras = episode.cameras.map((camera) => new Camera(camera, place));
    // Arrows step through the pictures of the first camera, or through rows.
    this.steps = episode.cameras[0]?.times ?? [];
  }

  toggle() {
    this.playing = !this.playing;
    byId("play").textContent = this.playing ? "Pause" : "Play";
    byId("play").setAttribute("aria-pressed", this.playing);
    if (!this.playing) return;
    if (this.time >= this.episode.seconds) this.seek(0);
    let last = performance.now();
    const tick = (now) => {
      if (!this.playing) return;
      this.seek(this.time + ((now - last) / 1000) * this.speed);
      last = now;
      if (this.time >= this.episode.seconds) this.toggle();
      else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  step(direction, far) {
    if (this.playing) this.toggle();
    if (far) return this.seek(this.time + direction);
    const next = direction > 0
      ? this.steps.find((time) => time > this.time + 1e-6)
      : this.steps.findLast((time) => time < this.time - 1e-6);
    return this.seek(next ?? this.time + direction * this.episode.step);
  }

  seek(time) {
    const within = Math.min(Math.max(0, time), this.episode.seconds);
    this.time = Math.round(within * 1e4) / 1e4;
    for (const camera of this.cameras) camera.show(this.time);
    this.onTime();
  }
}

class Camera {
  constructor({ name, times }, place) {
    this.name = name;
    this.times = times;
    this.shown = this.wanted = -2;
    this.busy = false;
    const figure = element("figure");
    this.canvas = element("canvas", "", { "aria-label": `camera ${name}` });
    this.note = element("p");
    figure.append(this.canvas, element("figcaption", name), this.note);
    place.append(figure);
  }

  show(time) {
    this.wanted = newest(this.times, time);
    if (!this.busy) this.load();
  }

  // One picture at a time: what was wanted meanwhile is loaded next, and the rest is skipped.
  async load() {
    this.busy = true;
    while (this.wanted !== this.shown) {
      const index = this.wanted;
      const problem = index < 0 ? "no picture yet" : await this.draw(index);
      this.shown = index;
      this.note.textContent = problem;
      this.canvas.hidden = Boolean(problem);
      this.canvas.dataset.index = index;
    }
    this.busy = false;
  }

  async draw(index) {
    try {
      const answer = await fetch(`/api/picture/${encodeURIComponent(this.name)}/${index}`);
      if (!answer.ok) return (await answer.json()).message;
      const picture = await createImageBitmap(await answer.blob());
      this.canvas.width = picture.width;
      this.canvas.height = picture.height;
      this.canvas.getContext("2d").drawImage(picture, 0, 0);
      picture.close();
      return "";
    } catch {
      return "the picture could not be loaded";
    }
  }
}

// Index of the newest of rising times that is not later; -1: none yet.
export function newest(times, time) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time + 1e-4) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
