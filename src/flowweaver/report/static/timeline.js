// What ran when, by worker lane.

import { html, useState } from "./lib.js";
import { Stage } from "./stage.js";
import { Empty } from "./parts.js";
import { counted, grouped, seconds } from "./format.js";
import { label, tone } from "./states.js";
import { shownName, timeScale } from "./model.js";
import { useKeys } from "./keys.js";
import { want } from "./route.js";

const LANE = 24;
const BAR = 18;
const AXIS = 26;
const SIDE = 12;
/** Room for the workers' names, where there is room. */
const NAMES = 92;
const NARROW = 520;
const FOUND = 7;
const LETTER = 6.6;

/** @param {{model: import("./model.js").Model, selected: string, width: number}} props */
export function Timeline({ model, selected, width }) {
  const [zoom, setZoom] = useState(1);
  useKeys(
    [
      { keys: ["+", "="], does: "Zoom in", run: () => setZoom((z) => Math.min(z * 2, 512)) },
      { keys: ["-"], does: "Zoom out", run: () => setZoom((z) => Math.max(z / 2, 1)) },
      { keys: ["0"], does: "Show all of it", run: () => setZoom(1) },
    ],
    [],
  );
  const bars = model.rows.filter((row) => row.start !== null);
  if (!bars.length) {
    return html`<${Empty} title="Nothing ran in this run">
      <p>${model.view.counts.restored ? "All results were restored from earlier runs." : "No task has started yet."}</p>
    <//>`;
  }
  const now = model.view.made_at - model.view.run.began;
  const end = Math.max(...bars.map((row) => (row.start ?? 0) + (row.seconds ?? Math.max(0, now - (row.start ?? 0)))));
  const { times } = model.view;
  const scale = timeScale(times, end);
  const side = width < NARROW ? SIDE : NAMES;
  const inner = (width - side - SIDE) * zoom;
  const x = (/** @type {number} */ at) => side + scale.place(at) * inner;
  const top = lanesFromTop(times.order);
  const edges = (/** @type {import("./model.js").Row} */ row) => {
    const start = row.start ?? 0;
    return [x(start), x(start + (row.seconds ?? Math.max(0, now - start)))];
  };
  const find = (/** @type {number} */ px, /** @type {number} */ py) => {
    const lane = times.order[Math.floor((py - AXIS) / LANE)];
    let best;
    let nearest = 4;
    for (const row of bars) {
      if (row.lane !== lane) continue;
      const [from, to] = edges(row);
      const away = px < from ? from - px : px > to ? px - to : 0;
      if (away < nearest) [best, nearest] = [row, away];
    }
    return best;
  };
  const chosen = model.byName.get(selected);
  return html`<section class="timeline" aria-label="Timeline">
    <div class="toolbar">
      <p class="muted">
        ${saidOfLanes(times)}${times.critical_path.length > 1 ? ` Outlined: the critical path, ${seconds(times.critical_seconds)}.` : ""}
      </p>
      <div class="buttons" role="group" aria-label="Zoom">
        <button type="button" onClick=${() => setZoom(Math.max(zoom / 2, 1))} disabled=${zoom <= 1} aria-label="Zoom out">−</button>
        <button type="button" onClick=${() => setZoom(1)} disabled=${zoom === 1}>Fit</button>
        <button type="button" onClick=${() => setZoom(Math.min(zoom * 2, 512))} aria-label="Zoom in">+</button>
      </div>
    </div>
    <${Stage}
      className="timeline-stage"
      width=${inner + side + SIDE}
      height=${AXIS + times.lanes * LANE + 8}
      label=${`Timeline of ${counted(bars.length, "TaskRun")} in ${counted(times.lanes, "lane")}. The table of tasks has the same as text.`}
      inputs=${[model, zoom, width, selected]}
      focus=${chosen && chosen.start !== null ? { x: edges(chosen)[0], y: AXIS + top[chosen.lane] * LANE } : null}
      press=${(/** @type {number} */ px, /** @type {number} */ py) => {
        const row = find(px, py);
        if (row) want({ sel: row.name });
      }}
      hover=${(/** @type {number} */ px, /** @type {number} */ py) => {
        const row = find(px, py);
        const worker = row && times.workers[row.lane];
        return row ? `${shownName(row)}: ${label(row.outcome)} ${seconds(row.seconds)}${worker ? `, ${worker}` : ""}` : "";
      }}
      draw=${(/** @type {import("./stage.js").Surface} */ surface) => {
        const marks = axisMarks(end, x, inner, surface, times.pauses);
        drawGrid(surface, marks);
        drawPauses(surface, times.pauses, x);
        drawBars(surface, bars, edges, model, selected, top);
        if (side > SIDE) drawWorkers(surface, times);
        drawAxis(surface, marks);
      }}
    />
  </section>`;
}

/** @param {number[]} order @returns {number[]} by lane, its place from the top */
function lanesFromTop(order) {
  /** @type {number[]} */
  const places = [];
  order.forEach((lane, place) => {
    places[lane] = place;
  });
  return places;
}

/** @param {import("./model.js").View["times"]} times */
function saidOfLanes({ lanes, workers }) {
  const known = new Set(workers.filter((worker) => worker));
  if (known.size) return `${counted(known.size, "worker")}, a lane for what each did.`;
  return `Who ran what is not known of this run: there are as many lanes, ${grouped(lanes)}, as TaskRuns ran at once.`;
}

/**
 * Write the workers' names at the left, where they stay; of several lanes of one, at the first.
 * @param {import("./stage.js").Surface} surface
 * @param {import("./model.js").View["times"]} times
 */
function drawWorkers({ context, top, height, colour }, { order, workers }) {
  context.fillStyle = colour("card");
  context.fillRect(0, 0, NAMES - 8, height);
  context.fillStyle = colour("muted");
  order.forEach((lane, place) => {
    const y = AXIS + place * LANE - top;
    if (y < -LANE || y > height || (place && workers[lane] && workers[lane] === workers[order[place - 1]])) return;
    context.fillText(nameThatFits(context, workers[lane] || `lane ${place + 1}`), SIDE, y + BAR / 2 + 0.5);
  });
}

/** @param {CanvasRenderingContext2D} context @param {string} name @returns {string} its end where it is long, which tells workers apart */
function nameThatFits(context, name) {
  const room = NAMES - SIDE - 12;
  if (context.measureText(name).width <= room) return name;
  let kept = name;
  while (kept && context.measureText(`…${kept}`).width > room) kept = kept.slice(1);
  return `…${kept}`;
}

/**
 * @param {import("./stage.js").Surface} surface
 * @param {import("./model.js").Row[]} bars
 * @param {(row: import("./model.js").Row) => number[]} edges
 * @param {import("./model.js").Model} model
 * @param {string} selected
 * @param {number[]} lanes where each lane is, from the top
 */
function drawBars({ context, left, top, width, height, colour }, bars, edges, model, selected, lanes) {
  /** @type {Map<number, number>} where the last bar of a lane ended, so that none is drawn twice */
  const drawn = new Map();
  // What failed is drawn last, and so wide that it is found however soon it failed.
  const failed = bars.filter((row) => row.outcome === "failed");
  for (const row of failed.length ? [...bars.filter((each) => each.outcome !== "failed"), ...failed] : bars) {
    const y = AXIS + lanes[row.lane] * LANE - top;
    if (y > height || y + LANE < AXIS) continue;
    const [from, to] = edges(row).map((edge) => edge - left);
    if (from > width || to < 0) continue;
    const wide = Math.max(to - from, row.outcome === "failed" ? FOUND : 1.5);
    const special = row.outcome === "failed" || row.name === selected;
    const known = drawn.get(row.lane) ?? -1;
    if (!special && to <= known) continue;
    drawn.set(row.lane, Math.max(known, from + wide));
    context.fillStyle = colour(`fill-${tone(row.outcome)}`);
    context.fillRect(from, y, wide, BAR);
    if ((model.critical.has(row.name) && wide > 5) || row.name === selected) {
      context.strokeStyle = colour(row.name === selected ? "focus" : "ink");
      context.lineWidth = row.name === selected ? 3 : 2;
      context.strokeRect(from + 1, y + 1, Math.max(wide - 2, 0.5), BAR - 2);
    }
    drawName(context, row, from, y, wide, colour);
  }
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {import("./model.js").Row} row
 * @param {number} from
 * @param {number} y
 * @param {number} wide
 * @param {(name: string) => string} colour
 */
function drawName(context, row, from, y, wide, colour) {
  const start = Math.max(from, 0);
  const room = from + wide - start - 10;
  const mark = row.outcome === "failed" ? "✕ " : "";
  const text = [`${mark}${shownName(row)}`, `${mark}${row.name}`].find((each) => room >= each.length * LETTER * 0.9);
  if (!text) return;
  context.fillStyle = colour("on-fill");
  context.fillText(text, start + 6, y + BAR / 2 + 0.5);
}

/**
 * @param {import("./stage.js").Surface} surface
 * @param {[number, number][]} pauses
 * @param {(at: number) => number} x
 */
function drawPauses({ context, left, height, colour }, pauses, x) {
  for (const [from, to] of pauses) {
    const start = x(from) - left;
    const wide = x(to) - left - start;
    context.fillStyle = colour("hatch");
    context.fillRect(start, AXIS - 6, wide, height);
    context.fillStyle = colour("muted");
    context.save();
    context.textAlign = "center";
    context.fillText(`${seconds(to - from)} pause`, start + wide / 2, AXIS + 8);
    context.restore();
  }
}

/** @typedef {{place: number, said: string}} Tick */

/**
 * @param {number} end
 * @param {(at: number) => number} x
 * @param {number} inner
 * @param {import("./stage.js").Surface} surface
 * @param {[number, number][]} pauses
 * @returns {Tick[]} the moments that are marked and in sight
 */
function axisMarks(end, x, inner, { left, width }, pauses) {
  const cut = pauses.reduce((sum, [from, to]) => sum + (to - from), 0);
  const step = niceStep(((end - cut) / inner) * 110);
  const marks = [];
  for (let count = 0; count * step <= end + step / 2; count += 1) {
    const pause = pauses.find(([from, to]) => count * step > from && count * step < to);
    if (pause) count = Math.ceil(pause[1] / step);
    const at = count * step;
    const place = Math.round(x(at) - left) + 0.5;
    if (place > -60 && place < width + 60) {
      marks.push({ place, said: at === 0 ? "0" : axisTime(at, step) });
    }
  }
  return marks;
}

/** @param {import("./stage.js").Surface} surface @param {Tick[]} marks */
function drawGrid({ context, height, colour }, marks) {
  context.strokeStyle = colour("line");
  context.lineWidth = 1;
  for (const { place } of marks) {
    context.beginPath();
    context.moveTo(place, AXIS - 8);
    context.lineTo(place, height);
    context.stroke();
  }
}

/** @param {import("./stage.js").Surface} surface @param {Tick[]} marks */
function drawAxis({ context, width, colour }, marks) {
  context.fillStyle = colour("card");
  context.fillRect(0, 0, width, AXIS - 6);
  context.fillStyle = colour("muted");
  for (const { place, said } of marks) context.fillText(said, place + 3, 11);
}

/** @param {number} at @param {number} step */
function axisTime(at, step) {
  if (at < 1) return `${(at * 1000).toFixed(step < 1e-4 ? 2 : step < 1e-3 ? 1 : 0)} ms`;
  if (at < 60) return `${at.toFixed(step < 0.1 ? 2 : step < 1 ? 1 : 0)} s`;
  return seconds(at);
}

/** @param {number} least @returns {number} the next of 1, 2, 5, 10 ... seconds, minutes, hours */
function niceStep(least) {
  const steps = [60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400];
  if (least > 30) return steps.find((step) => step >= least) ?? Math.ceil(least / 86400) * 86400;
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-4)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? 10 * power;
}
