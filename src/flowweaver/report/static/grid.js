// The elements of a fan-out, one cell each.

import { html } from "./lib.js";
import { Stage } from "./stage.js";
import { counted, seconds } from "./format.js";
import { label, tone } from "./states.js";
import { outcomeCounts, shownName } from "./model.js";

/** The sizes of cells and the room between them: the largest is taken at which all are in sight. */
const SIZES = [[14, 3], [10, 2], [7, 2], [5, 1]];
const TALLEST = 320;

/**
 * @param {{rows: import("./model.js").Row[], width: number, selected: string,
 *   open: (name: string) => void}} props
 */
export function ElementGrid({ rows, width, selected, open }) {
  const [cell, step, across] = sized(rows.length, width);
  const height = Math.ceil(rows.length / across) * step;
  const bad = rows.findIndex((row) => row.outcome === "failed");
  const counts = outcomeCounts(rows);
  const said = Object.entries(counts)
    .map(([outcome, count]) => `${count} ${label(outcome)}`)
    .join(", ");
  const at = (/** @type {number} */ x, /** @type {number} */ y) => {
    const column = Math.floor(x / step);
    return column < across ? rows[Math.floor(y / step) * across + column] : undefined;
  };
  return html`<${Stage}
    className="grid"
    width=${across * step}
    height=${height}
    label=${`${counted(rows.length, "element")}: ${said}`}
    inputs=${[rows, across, selected]}
    focus=${bad < 0 ? null : { x: (bad % across) * step, y: Math.floor(bad / across) * step }}
    press=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const row = at(x, y);
      if (row) open(row.name);
    }}
    hover=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const row = at(x, y);
      return row ? `${shownName(row)}: ${label(row.outcome)} ${seconds(row.seconds)}` : "";
    }}
    draw=${(/** @type {import("./stage.js").Surface} */ surface) => drawCells(surface, rows, across, cell, step, selected)}
  />`;
}

/**
 * @param {number} count
 * @param {number} width
 * @returns {[number, number, number]} how wide a cell is, where the next begins, how many stand in a row
 */
function sized(count, width) {
  let [cell, gap] = SIZES[0];
  for (const [smaller, between] of SIZES) {
    [cell, gap] = [smaller, between];
    const inRow = Math.floor((width + gap) / (cell + gap));
    if (Math.ceil(count / inRow) * (cell + gap) <= TALLEST) break;
  }
  return [cell, cell + gap, Math.max(1, Math.floor((width + gap) / (cell + gap)))];
}

/**
 * @param {import("./stage.js").Surface} surface
 * @param {import("./model.js").Row[]} rows
 * @param {number} across
 * @param {number} cell
 * @param {number} step
 * @param {string} selected
 */
function drawCells({ context, top, height, colour }, rows, across, cell, step, selected) {
  const first = Math.max(0, Math.floor(top / step)) * across;
  const end = Math.min(rows.length, Math.ceil((top + height) / step) * across);
  for (let i = first; i < end; i += 1) {
    const { outcome, name } = rows[i];
    const x = (i % across) * step;
    const y = Math.floor(i / across) * step - top;
    context.fillStyle = colour(`fill-${tone(outcome)}`);
    context.fillRect(x, y, cell, cell);
    drawMark(context, outcome, x, y, cell / SIZES[0][0], colour("on-fill"));
    if (name === selected) {
      context.strokeStyle = colour("focus");
      context.lineWidth = 2;
      context.strokeRect(x - 1, y - 1, cell + 2, cell + 2);
    }
  }
}

/**
 * Mark what is not simply done, so that colour is not all that tells it.
 * @param {CanvasRenderingContext2D} context
 * @param {string} outcome
 * @param {number} x
 * @param {number} y
 * @param {number} scale
 * @param {string} ink
 */
function drawMark(context, outcome, x, y, scale, ink) {
  const at = (/** @type {number} */ px, /** @type {number} */ py) => /** @type {[number, number]} */ ([x + px * scale, y + py * scale]);
  context.strokeStyle = ink;
  context.lineWidth = Math.max(1, 1.6 * scale);
  context.beginPath();
  if (outcome === "failed") {
    context.moveTo(...at(4, 4));
    context.lineTo(...at(10, 10));
    context.moveTo(...at(10, 4));
    context.lineTo(...at(4, 10));
  } else if (outcome === "upstream_failed") {
    context.moveTo(...at(3, 11));
    context.lineTo(...at(11, 3));
  } else if (outcome === "running" || outcome === "retrying" || outcome === "interrupted") {
    context.arc(...at(7, 7), 3 * scale, 0, Math.PI * 1.5);
  } else if (outcome === "restored") {
    context.moveTo(...at(4, 7));
    context.lineTo(...at(10, 7));
  }
  context.stroke();
}
