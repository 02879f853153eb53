// A long list of which only what can be seen is on the page.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./lib.js";

const BEYOND = 8;

/**
 * @template T
 * @param {{items: T[], height: number, selected: number, label: string, head?: unknown,
 *   columns: number, draw: (item: T, index: number, selected: boolean) => unknown}} props
 */
export function VirtualList({ items, height, selected, label, head, columns, draw }) {
  const box = useRef(/** @type {HTMLDivElement | null} */ (null));
  const [window, setWindow] = useState({ top: 0, shown: 900 });
  const look = () => {
    if (box.current) setWindow({ top: box.current.scrollTop, shown: box.current.clientHeight });
  };
  useLayoutEffect(() => {
    look();
    const seen = new ResizeObserver(look);
    if (box.current) seen.observe(box.current);
    return () => seen.disconnect();
  }, []);
  useEffect(() => {
    if (box.current && selected >= 0) keepInSight(box.current, selected, height);
  }, [selected]);
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const before = () => setPrinting(true);
    const after = () => setPrinting(false);
    addEventListener("beforeprint", before);
    addEventListener("afterprint", after);
    return () => {
      removeEventListener("beforeprint", before);
      removeEventListener("afterprint", after);
    };
  }, []);
  const first = printing ? 0 : Math.max(0, Math.floor(window.top / height) - BEYOND);
  const end = printing
    ? Math.min(items.length, 1000)
    : Math.min(items.length, Math.ceil((window.top + window.shown) / height) + BEYOND);
  return html`<div
    class="list"
    ref=${box}
    onScroll=${look}
    role="table"
    aria-label=${label}
    aria-rowcount=${items.length + 1}
    aria-colcount=${columns}
    tabindex="0"
  >
    ${head}
    <div class="list-body" role="rowgroup" style=${{ height: printing ? "auto" : `${items.length * height}px` }}>
      <div style=${{ transform: printing ? "none" : `translateY(${first * height}px)` }} role="presentation">
        ${items.slice(first, end).map((item, i) => draw(item, first + i, first + i === selected))}
      </div>
    </div>
    ${printing && items.length > end ? html`<p class="muted">${items.length - end} more are not printed.</p>` : null}
  </div>`;
}

/** @param {HTMLElement} box @param {number} index @param {number} height */
function keepInSight(box, index, height) {
  const head = /** @type {HTMLElement | null} */ (box.querySelector(".list-head"))?.offsetHeight ?? 0;
  const top = index * height;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + height > box.scrollTop + box.clientHeight - head) {
    box.scrollTop = top + height - box.clientHeight + head;
  }
}
