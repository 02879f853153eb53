// The graph of tasks: a fan-out is one box with counts, a nested workflow one box to be opened.

import { html, useEffect, useMemo, useRef, useState } from "./lib.js";
import { Empty } from "./parts.js";
import { Stage } from "./stage.js";
import { counted, grouped, seconds } from "./format.js";
import { label, shape, tone } from "./states.js";
import { stepped, useKeys } from "./keys.js";
import { go, here, route, want } from "./route.js";

const HEIGHT = 40;
const PAD = 16;
const BOX_LETTER = 7.2;
/** The widest box there is, and for how many letters it has room whatever they are. */
const WIDEST = 240;
const SHORTEST = 25;
const ABREAST = 24;
const BETWEEN = 44;
/** How a drawing's lines pass its layers, and how near its boxes stand at the least. */
const LAYER = 136;
const NEAREST = HEIGHT + 14;
/** What the panel takes that opens beside the graph, and the bars above it. */
const PANEL = 460;
const ABOVE = 250;
const READABLE = 0.65;
const WHOLE = -1;
/** Above so many boxes they are painted, below each is an element of the page. */
const MOST_ELEMENTS = 500;

/**
 * @typedef {{key: string, name: string, title: string, outcome: string, note: string,
 *   group: boolean, done: number, x: number, y: number, w: number}} Box
 * @typedef {import("./model.js").Drawing & {upright?: boolean}} Laid
 */

/** @param {{model: import("./model.js").Model, selected: string, width: number}} props */
export function Graph({ model, selected, width }) {
  const inside = route.value.wanted.in ?? "";
  const given = model.view.graph[inside] ?? model.view.graph[""];
  const drawing = useMemo(() => given && laid(given), [given]);
  const [zoom, setZoom] = useState(0);
  const boxes = drawing ? boxesOf(model, drawing, inside) : [];
  const whole = drawing ? Math.min(1, scaleToFit(drawing, width, roomBelow())) : 1;
  // From left to right one scrolls down anyway; upright, all of it is to be seen.
  const begin = !drawing || drawing.upright ? whole : width / (drawing.width + 2 * PAD);
  const readable = Math.min(1, Math.max(READABLE, begin));
  const scale = zoom === WHOLE ? whole : zoom || readable;
  const move = (/** @type {number} */ by) => {
    const next = boxes[stepped(boxes, by)];
    if (next) want({ sel: next.name }, { replace: true });
  };
  useKeys(
    [
      { keys: ["j", "ArrowDown"], does: "Next task", run: () => move(1) },
      { keys: ["k", "ArrowUp"], does: "Previous task", run: () => move(-1) },
      { keys: ["+", "="], does: "Zoom in", run: () => setZoom(scale * 1.25) },
      { keys: ["-"], does: "Zoom out", run: () => setZoom(scale / 1.25) },
      { keys: ["0"], does: "Show all of it", run: () => setZoom(WHOLE) },
    ],
    [drawing, scale],
  );
  if (!boxes.length) return html`<${Empty} title="No graph"><p>This run has no tasks.</p><//>`;
  const View = boxes.length > MOST_ELEMENTS ? Painted : BoxElements;
  return html`<section class="graph" aria-label="Graph">
    <div class="toolbar">
      ${
        inside
          ? html`<nav class="crumbs" aria-label="Nested workflows">
            <a href=${here({ in: "" })}>${model.view.run.workflow}</a>
            ${inside
              .split(".")
              .map((part, i, all) => html`<span aria-hidden="true">/</span
                ><a href=${here({ in: all.slice(0, i + 1).join(".") })}>${part}</a>`)}
          </nav>`
          : html`<p class="muted">${counted(boxes.length, "box", "boxes")}, each waits for those ${drawing.upright ? "above it" : "to its left"}.</p>`
      }
      <div class="buttons" role="group" aria-label="Zoom">
        <button type="button" aria-label="Zoom out" onClick=${() => setZoom(scale / 1.25)}>−</button>
        <button type="button" onClick=${() => setZoom(WHOLE)}>Fit</button>
        <button type="button" aria-label="Zoom in" onClick=${() => setZoom(scale * 1.25)}>+</button>
      </div>
    </div>
    <${View} drawing=${drawing} boxes=${boxes} scale=${scale} selected=${selected} />
  </section>`;
}

/** @returns {number} how high the graph may be and still be seen at once */
function roomBelow() {
  return Math.max(200, (globalThis.innerHeight || 800) - ABOVE);
}

/**
 * @param {import("./model.js").Drawing} drawing
 * @param {number} width
 * @param {number} height
 */
function scaleToFit(drawing, width, height) {
  return Math.min(width / (drawing.width + 2 * PAD), height / (drawing.height + 2 * PAD));
}

/**
 * Return a drawing from left to right as it is, or turned from top to bottom where more of it is
 * seen that way. The room is taken that is left when the panel is open, so that opening it turns
 * nothing.
 * @param {import("./model.js").Drawing} drawing
 * @returns {Laid}
 */
function laid(drawing) {
  const wide = globalThis.innerWidth || 1280;
  const width = (wide > 900 ? wide - Math.min(PANEL, wide * 0.42) : wide) - 48;
  const turned = upright(drawing);
  const flat = Math.min(1, scaleToFit(drawing, width, roomBelow()));
  return Math.min(1, scaleToFit(turned, width, roomBelow())) > flat * 1.1 ? turned : drawing;
}

/** @param {import("./model.js").Drawing} drawing @returns {Laid} */
function upright(drawing) {
  const lefts = new Set(drawing.x);
  for (const [, , points = []] of drawing.lines) for (let i = 0; i < points.length; i += 2) lefts.add(points[i]);
  const layers = new Map([...lefts].sort((a, b) => a - b).map((left, layer) => [left, layer]));
  const across = (Math.max(...drawing.w, LAYER) + ABREAST) / NEAREST;
  const down = (/** @type {number} */ left) => (layers.get(left) ?? 0) * (HEIGHT + BETWEEN);
  const side = Math.max(...drawing.w, LAYER) / 2;
  const middle = (/** @type {number} */ y) => Math.round(side + y * across);
  const lines = drawing.lines.map(
    ([from, to, points = []]) =>
      /** @type {[number, number, number[]]} */ ([
        from,
        to,
        points.map((_, i) => (i % 2 ? down(points[i - 1]) : middle(points[i + 1] - HEIGHT / 2))),
      ]),
  );
  const passed = lines.flatMap(([, , points]) => points.filter((_, i) => i % 2 === 0));
  return {
    ...drawing,
    upright: true,
    width: Math.max(Math.round(2 * side + Math.max(...drawing.y, 0) * across), ...passed),
    height: (layers.size - 1) * (HEIGHT + BETWEEN) + HEIGHT,
    x: drawing.y.map((y, i) => middle(y) - Math.round(drawing.w[i] / 2)),
    y: drawing.x.map(down),
    lines,
  };
}

/**
 * @param {import("./model.js").Model} model
 * @param {import("./model.js").Drawing} drawing
 * @param {string} inside
 * @returns {Box[]}
 */
function boxesOf(model, drawing, inside) {
  return drawing.boxes.map((box, i) => {
    const at = { x: drawing.x[i], y: drawing.y[i], w: drawing.w[i] };
    const group = typeof box === "string";
    const members = group ? (drawing.groups?.[box] ?? []) : [box];
    const tasks = members.map((place) => model.view.tasks[place]);
    const name = group ? box : tasks[0].name;
    const title = inside && name.startsWith(`${inside}.`) ? name.slice(inside.length + 1) : name;
    return { ...at, ...summed(tasks, group), key: name, name, title, group };
  });
}

/** @param {import("./model.js").Task[]} tasks @param {boolean} group */
function summed(tasks, group) {
  const [task] = tasks;
  if (group) {
    const worst = ["failed", "retrying", "running", "pending", "upstream_failed", "cancelled", "executed", "restored", "overridden", "skipped"];
    const outcome = worst.find((each) => tasks.some((one) => one.outcome === each)) ?? "pending";
    return { outcome, note: counted(tasks.length, "task"), done: -1 };
  }
  if (task.counts) {
    const total = task.elements ?? 0;
    const done = (task.counts.executed ?? 0) + (task.counts.restored ?? 0) + (task.counts.overridden ?? 0);
    const { failed = 0 } = task.counts;
    const note = `${grouped(failed || done)} of ${grouped(total)}${failed ? " failed" : ""}`;
    return { outcome: task.outcome, note, done: total ? done / total : 0 };
  }
  const took = task.seconds === undefined ? label(task.outcome) : seconds(task.seconds);
  return { outcome: task.outcome, note: took, done: -1 };
}

/** @param {Box} box */
function press(box) {
  if (box.group) go({ wanted: { ...route.value.wanted, in: box.name } });
  else want({ sel: box.name });
}

/** @typedef {{drawing: Laid, boxes: Box[], scale: number, selected: string}} Drawn */

/** @param {Drawn} props */
function BoxElements({ drawing, boxes, scale, selected }) {
  const frame = useRef(/** @type {HTMLDivElement | null} */ (null));
  useEffect(() => {
    frame.current?.querySelector(".box.selected")?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
  }, [selected]);
  useEffect(() => {
    // Where a tall graph begins is in its middle.
    if (frame.current && !selected) {
      frame.current.scrollTop = drawing.upright ? 0 : boxes[0].y * scale - frame.current.clientHeight / 2;
      frame.current.scrollLeft = drawing.upright ? boxes[0].x * scale - frame.current.clientWidth / 2 : 0;
    }
  }, [drawing]);
  const width = drawing.width + 2 * PAD;
  const height = drawing.height + 2 * PAD;
  return html`<div class="graph-frame" ref=${frame} tabindex="0" role="region" aria-label="Graph of tasks">
    <svg
      width=${width * scale}
      height=${height * scale}
      viewBox=${`${-PAD} ${-PAD} ${width} ${height}`}
      role="list"
      aria-label="Tasks"
    >
      <g class="lines" role="presentation">
        ${drawing.lines.map((line) => {
          const near = boxes[line[0]].name === selected || boxes[line[1]].name === selected;
          return html`<path class=${near ? "near" : ""} d=${pathOf(line, boxes, drawing.upright)} />`;
        })}
      </g>
      ${boxes.map((box) => html`<${BoxElement} key=${box.key} box=${box} selected=${box.name === selected} />`)}
    </svg>
  </div>`;
}

/** @param {{box: Box, selected: boolean}} props */
function BoxElement({ box, selected }) {
  return html`<g role="listitem" transform=${`translate(${box.x} ${box.y})`}>
    <g
      class=${`box tone-${tone(box.outcome)} ${selected ? "selected" : ""} ${box.group ? "group" : ""}`}
      role="button"
      tabindex="0"
      aria-label=${`${box.title} ${box.note}, ${label(box.outcome)}`}
      onClick=${() => press(box)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          press(box);
        }
      }}
    >
      <title>${box.name}: ${label(box.outcome)}, ${box.note}</title>
      ${box.group ? html`<rect class="behind" x="4" y="-4" width=${box.w - 8} height=${HEIGHT} rx="7" />` : null}
      <rect class="card" width=${box.w} height=${HEIGHT} rx="7" />
      ${box.done >= 0 ? html`<rect class="done" x="1" y=${HEIGHT - 4} width=${Math.max(0, (box.w - 2) * box.done)} height="3" rx="1.5" />` : null}
      <path class="mark" transform="translate(10 12)" fill-rule="evenodd" d=${shape(box.outcome)} />
      <svg x="34" width=${box.w - 40} height=${HEIGHT}>
        <text class="title" y="17">${shortened(box.title, box.w < WIDEST ? Infinity : SHORTEST)}</text>${" "}<text class="note" y="31">${box.note}</text>
      </svg>
    </g>
  </g>`;
}

/** @param {string} text @param {number} room for so many letters; some are two wide */
function shortened(text, room) {
  let [taken, kept] = [0, ""];
  for (const letter of text) {
    taken += letter >= "\u1100" ? 2 : 1;
    if (taken > room) return `${kept.slice(0, -1)}…`;
    kept += letter;
  }
  return text;
}

/**
 * @param {[number, number, number[]?]} line
 * @param {Box[]} boxes
 * @param {boolean} [isUpright]
 */
function pathOf([from, to, points = []], boxes, isUpright = false) {
  const start = boxes[from];
  const end = boxes[to];
  const stops = [isUpright ? [start.x + start.w / 2, start.y + HEIGHT] : [start.x + start.w, start.y + HEIGHT / 2]];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i], points[i + 1]];
    stops.push([x, y], isUpright ? [x, y + HEIGHT] : [x + LAYER, y]);
  }
  stops.push(isUpright ? [end.x + end.w / 2, end.y] : [end.x, end.y + HEIGHT / 2]);
  let path = `M${stops[0][0]} ${stops[0][1]}`;
  for (let i = 1; i < stops.length; i += 1) {
    const [x0, y0] = stops[i - 1];
    const [x1, y1] = stops[i];
    if (x0 === x1 || y0 === y1) path += `L${x1} ${y1}`;
    else if (isUpright) path += `C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1}`;
    else path += `C${(x0 + x1) / 2} ${y0} ${(x0 + x1) / 2} ${y1} ${x1} ${y1}`;
  }
  return path;
}

/** @param {Drawn} props */
function Painted({ drawing, boxes, scale, selected }) {
  const chosen = boxes.find((box) => box.name === selected);
  const find = (/** @type {number} */ x, /** @type {number} */ y) => {
    const [px, py] = [x / scale - PAD, y / scale - PAD];
    return boxes.find((box) => px >= box.x && px <= box.x + box.w && py >= box.y && py <= box.y + HEIGHT);
  };
  return html`<${Stage}
    className="graph-frame"
    width=${(drawing.width + 2 * PAD) * scale}
    height=${(drawing.height + 2 * PAD) * scale}
    label=${`Graph of ${counted(boxes.length, "box", "boxes")}. The table of tasks has them as text.`}
    inputs=${[drawing, boxes, scale, selected]}
    focus=${{ x: ((chosen ?? boxes[0]).x + PAD) * scale, y: ((chosen ?? boxes[0]).y + PAD) * scale }}
    press=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const box = find(x, y);
      if (box) press(box);
    }}
    hover=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const box = find(x, y);
      return box ? `${box.name}: ${label(box.outcome)}, ${box.note}` : "";
    }}
    draw=${(/** @type {import("./stage.js").Surface} */ surface) => paintGraph(surface, drawing, boxes, scale, selected)}
  />`;
}

/**
 * @param {import("./stage.js").Surface} surface
 * @param {Laid} drawing
 * @param {Box[]} boxes
 * @param {number} scale
 * @param {string} selected
 */
function paintGraph({ context, left, top, width, height, colour }, drawing, boxes, scale, selected) {
  context.save();
  context.translate(-left, -top);
  context.scale(scale, scale);
  context.translate(PAD, PAD);
  const [x0, y0] = [left / scale - PAD, top / scale - PAD];
  const [x1, y1] = [x0 + width / scale, y0 + height / scale];
  context.strokeStyle = colour("edge");
  context.lineWidth = 1;
  for (const line of drawing.lines) {
    const [a, b] = [boxes[line[0]], boxes[line[1]]];
    if (Math.max(a.x, b.x) + 240 < x0 || Math.min(a.x, b.x) > x1) continue;
    if (Math.max(a.y, b.y) + HEIGHT < y0 || Math.min(a.y, b.y) > y1) continue;
    context.stroke(new Path2D(pathOf(line, boxes, drawing.upright)));
  }
  for (const box of boxes) {
    if (box.x > x1 || box.x + box.w < x0 || box.y > y1 || box.y + HEIGHT < y0) continue;
    context.fillStyle = colour("card");
    context.fillRect(box.x, box.y, box.w, HEIGHT);
    context.fillStyle = colour(`fill-${tone(box.outcome)}`);
    context.fillRect(box.x, box.y, 5, HEIGHT);
    context.strokeStyle = colour(box.name === selected ? "focus" : "line");
    context.lineWidth = box.name === selected ? 3 : 1;
    context.strokeRect(box.x, box.y, box.w, HEIGHT);
    if (scale > 0.45) {
      context.fillStyle = colour("ink");
      context.fillText(shortened(box.title, Math.floor((box.w - 20) / BOX_LETTER)), box.x + 12, box.y + 13);
      context.fillStyle = colour("muted");
      context.fillText(`${label(box.outcome)} · ${box.note}`, box.x + 12, box.y + 28);
    }
  }
  context.restore();
}

