// The elements of a fan-out, one cell each.

import { html } from "./lib.js";
import { Stage } from "./stage.js";
import { counted, seconds } from "./format.js";
import { label, tone } from "./states.js";
import { outcomeCounts } from "./model.js";

const CELL = 14;
const GAP = 3;

/**
 * @param {{rows: import("./model.js").Row[], width: number, selected: string,
 *   open: (name: string) => void}} props
 */
export function ElementGrid({ rows, width, selected, open }) {
  const across = Math.max(1, Math.floor((width + GAP) / (CELL + GAP)));
  const height = Math.ceil(rows.length / across) * (CELL + GAP);
  const counts = outcomeCounts(rows);
  const said = Object.entries(counts)
    .map(([outcome, count]) => `${count} ${label(outcome)}`)
    .join(", ");
  const at = (/** @type {number} */ x, /** @type {number} */ y) => {
    const column = Math.floor(x / (CELL + GAP));
    return column < across ? rows[Math.floor(y / (CELL + GAP)) * across + column] : undefined;
  };
  return html`<${Stage}
    className="grid"
    width=${across * (CELL + GAP) - GAP}
    height=${height}
    label=${`${counted(rows.length, "element")}: ${said}`}
    inputs=${[rows, across, selected]}
    press=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const row = at(x, y);
      if (row) open(row.name);
    }}
    hover=${(/** @type {number} */ x, /** @type {number} */ y) => {
      const row = at(x, y);
      return row ? `${row.name}: ${label(row.outcome)} ${seconds(row.seconds)}` : "";
    }}
    draw=${(/** @type {import("./stage.js").Surface} */ surface) => drawCells(surface, rows, across, selected)}
  />`;
}

/**
 * @param {import("./stage.js").Surface} surface
 * @param {import("./model.js").Row[]} rows
 * @param {number} across
 * @param {string} selected
 */
function drawCells({ context, top, height, colour }, rows, across, selected) {
  const first = Math.max(0, Math.floor(top / (CELL + GAP))) * across;
  const end = Math.min(rows.length, Math.ceil((top + height) / (CELL + GAP)) * across);
  for (let i = first; i < end; i += 1) {
    const { outcome, name } = rows[i];
    const x = (i % across) * (CELL + GAP);
    const y = Math.floor(i / across) * (CELL + GAP) - top;
    context.fillStyle = colour(`fill-${tone(outcome)}`);
    context.fillRect(x, y, CELL, CELL);
    drawMark(context, outcome, x, y, colour("on-fill"));
    if (name === selected) {
      context.strokeStyle = colour("focus");
      context.lineWidth = 2;
      context.strokeRect(x - 1, y - 1, CELL + 2, CELL + 2);
    }
  }
}

/**
 * Mark what is not simply done, so that colour is not all that tells it.
 * @param {CanvasRenderingContext2D} context
 * @param {string} outcome
 * @param {number} x
 * @param {number} y
 * @param {string} ink
 */
function drawMark(context, outcome, x, y, ink) {
  context.strokeStyle = ink;
  context.lineWidth = 1.6;
  context.beginPath();
  if (outcome === "failed") {
    context.moveTo(x + 4, y + 4);
    context.lineTo(x + 10, y + 10);
    context.moveTo(x + 10, y + 4);
    context.lineTo(x + 4, y + 10);
  } else if (outcome === "upstream_failed") {
    context.moveTo(x + 3, y + 11);
    context.lineTo(x + 11, y + 3);
  } else if (outcome === "running" || outcome === "retrying") {
    context.arc(x + 7, y + 7, 3, 0, Math.PI * 1.5);
  } else if (outcome === "restored") {
    context.moveTo(x + 4, y + 7);
    context.lineTo(x + 10, y + 7);
  }
  context.stroke();
}
