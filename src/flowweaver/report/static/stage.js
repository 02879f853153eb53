// A canvas of any size of which only what can be seen is drawn: for what has thousands of marks.

import { html, useEffect, useLayoutEffect, useRef } from "./lib.js";

/**
 * @typedef {{context: CanvasRenderingContext2D, left: number, top: number, width: number,
 *   height: number, colour: (name: string) => string}} Surface
 */

/**
 * @param {{width: number, height: number, label: string, className?: string,
 *   draw: (surface: Surface) => void, press?: (x: number, y: number) => void,
 *   hover?: (x: number, y: number) => string, inputs: unknown[],
 *   focus?: {x: number, y: number} | null}} props
 */
export function Stage({ width, height, label, className, draw, press, hover, inputs, focus }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const canvas = useRef(/** @type {HTMLCanvasElement | null} */ (null));
  const pending = useRef(0);
  const latest = useRef(draw);
  latest.current = draw;
  const redraw = () => {
    cancelAnimationFrame(pending.current);
    pending.current = requestAnimationFrame(() => {
      if (box.current && canvas.current) paint(box.current, canvas.current, latest.current);
    });
  };
  useLayoutEffect(() => {
    redraw();
    const seen = new ResizeObserver(redraw);
    if (box.current) seen.observe(box.current);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", redraw);
    return () => {
      seen.disconnect();
      dark.removeEventListener("change", redraw);
      cancelAnimationFrame(pending.current);
    };
  }, []);
  useEffect(redraw, inputs);
  useEffect(() => {
    if (box.current && focus) reveal(box.current, focus);
  }, [focus?.x, focus?.y]);
  /** @param {PointerEvent | MouseEvent} event */
  const at = (event) => {
    const element = /** @type {HTMLDivElement} */ (box.current);
    const edge = element.getBoundingClientRect();
    return [event.clientX - edge.left + element.scrollLeft, event.clientY - edge.top + element.scrollTop];
  };
  return html`<div
    class=${`stage ${className ?? ""}`}
    ref=${box}
    tabindex="0"
    role="img"
    aria-label=${label}
    onScroll=${redraw}
    onClick=${(/** @type {MouseEvent} */ event) => press?.(.../** @type {[number, number]} */ (at(event)))}
    onPointerMove=${(/** @type {PointerEvent} */ event) => {
      if (hover && canvas.current) canvas.current.title = hover(.../** @type {[number, number]} */ (at(event)));
    }}
  >
    <div class="stage-size" style=${{ width: `${width}px`, height: `${height}px` }}>
      <canvas ref=${canvas}></canvas>
    </div>
  </div>`;
}

/**
 * @param {HTMLDivElement} box
 * @param {HTMLCanvasElement} canvas
 * @param {(surface: Surface) => void} draw
 */
function paint(box, canvas, draw) {
  const { clientWidth: width, clientHeight: height } = box;
  const ratio = globalThis.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const style = getComputedStyle(box);
  /** @type {Record<string, string>} */
  const known = {};
  const colour = (/** @type {string} */ name) =>
    (known[name] ??= style.getPropertyValue(`--${name}`).trim() || "#888");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = `12px ${style.fontFamily}`;
  context.textBaseline = "middle";
  draw({ context, left: box.scrollLeft, top: box.scrollTop, width, height, colour });
}

/** @param {HTMLDivElement} box @param {{x: number, y: number}} at */
function reveal(box, { x, y }) {
  const margin = 40;
  if (x < box.scrollLeft + margin) box.scrollLeft = x - margin;
  else if (x > box.scrollLeft + box.clientWidth - margin) box.scrollLeft = x - box.clientWidth + margin;
  if (y < box.scrollTop + margin) box.scrollTop = y - margin;
  else if (y > box.scrollTop + box.clientHeight - margin) box.scrollTop = y - box.clientHeight + margin;
}
