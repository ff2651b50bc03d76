// Live pictures with the boxes of the current subtask.
import { element, setText, colour } from "./page.js";

const STALE_MS = 1500;

export class Cameras {
  constructor(box) {
    this.box = box;
    this.tiles = [];
    this.boxes = [];
  }

  begin(cameras) {
    this.box.replaceChildren();
    this.box.dataset.count = cameras.length > 4 ? "many" : cameras.length;
    this.tiles = cameras.map((camera) => {
      const root = element("div", "", { class: "camera stale", "data-camera": camera.name });
      const canvas = element("canvas", "", {
        width: camera.width, height: camera.height, role: "img",
        "aria-label": `camera ${camera.name.replaceAll("_", " ")}`,
      });
      const age = element("span", "no picture", { class: "age" });
      const name = element("span", camera.name.replaceAll("_", " "), { class: "name" });
      root.append(canvas, name, age);
      this.box.append(root);
      return { name: camera.name, root, canvas, age, at: 0, count: 0, since: 0, rate: 0 };
    });
  }

  async put(picture) {
    const tile = this.tiles[picture.camera];
    if (!tile || document.hidden) return;
    let bitmap;
    try {
      bitmap = await createImageBitmap(picture.jpeg);
    } catch {
      return; // Not decodable; the tile becomes stale.
    }
    const { canvas } = tile;
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.drawBoxes(context, canvas, tile.name);
    tile.at = performance.now();
    tile.count += 1;
  }

  drawBoxes(context, canvas, name) {
    const { width, height } = canvas;
    const size = Math.max(10, Math.round(width / 26));
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.lineWidth = Math.max(2, width / 160);
    for (const { camera, label, box } of this.boxes) {
      if (camera !== name) continue;
      const [x0, y0, x1, y1] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
      context.strokeStyle = colour("human");
      context.strokeRect(x0, y0, x1 - x0, y1 - y0);
      if (!label) continue;
      const wide = context.measureText(label).width + size * 0.6;
      const top = Math.max(0, y0 - size * 1.25);
      const left = Math.min(x0, Math.max(0, width - wide));
      context.fillStyle = "rgb(0 0 0 / .7)";
      context.fillRect(left, top, wide, size * 1.25);
      context.fillStyle = "#ffd8a0";
      context.fillText(label, left + size * 0.3, top + size * 0.98);
    }
  }

  tick() {
    const now = performance.now();
    for (const tile of this.tiles) {
      if (now - tile.since > 2000) {
        tile.rate = (tile.count * 1000) / (now - tile.since);
        tile.count = 0;
        tile.since = now;
      }
      const silence = now - tile.at;
      const stale = tile.at === 0 || silence > STALE_MS;
      tile.root.classList.toggle("stale", stale);
      const silent = tile.at === 0 ? "no picture" : `no picture for ${(silence / 1000).toFixed(0)} s`;
      setText(tile.age, stale ? silent : `${tile.rate.toFixed(0)} Hz`);
    }
  }

  lost() {
    for (const tile of this.tiles) tile.at = Math.min(tile.at, performance.now() - STALE_MS);
  }
}
