// Durations, times, sizes and counts as people write them.

/**
 * @param {number | null | undefined} value seconds
 * @returns {string} "12 ms", "3.4 s", "5 min 07 s", "2 h 05 min", "3 d 4 h"
 */
export function seconds(value) {
  if (value === null || value === undefined) return "";
  if (value < 0.001) return "<1 ms";
  if (value < 0.9995) return `${Math.round(value * 1000)} ms`;
  if (value < 59.95) return `${value.toFixed(1)} s`;
  const all = Math.round(value);
  const minutes = Math.floor(all / 60);
  if (minutes < 60) return `${minutes} min ${String(all % 60).padStart(2, "0")} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * @param {number} count
 * @param {string} noun
 * @param {string} [many]
 */
export function counted(count, noun, many = `${noun}s`) {
  return `${grouped(count)} ${count === 1 ? noun : many}`;
}

/** @param {number} count 12,345 */
export function grouped(count) {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** @param {number | undefined} size in bytes */
export function bytes(size) {
  if (size === undefined) return "";
  if (size < 1000) return `${size} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = size / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

const two = (/** @type {number} */ value) => String(value).padStart(2, "0");

/** @param {number} epoch seconds; in the reader's own time zone: "2026-11-28 14:05:09" */
export function moment(epoch) {
  const at = new Date(epoch * 1000);
  return `${day(at)} ${clock(epoch)}`;
}

/** @param {Date} at */
function day(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** @param {number} epoch seconds: "14:05:09" */
export function clock(epoch) {
  const at = new Date(epoch * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/**
 * @param {number} epoch seconds
 * @param {number} now seconds
 * @returns {string} "just now", "5 min ago", "yesterday 14:05", "2026-11-02 14:05"
 */
export function ago(epoch, now) {
  const past = now - epoch;
  if (past < 10) return "just now";
  if (past < 60) return `${Math.floor(past)} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  const at = new Date(epoch * 1000);
  const time = clock(epoch).slice(0, 5);
  if (day(at) === day(new Date(now * 1000))) return `today ${time}`;
  if (day(at) === day(new Date((now - 86400) * 1000))) return `yesterday ${time}`;
  return `${day(at)} ${time}`;
}

/** @param {string} word "upstream_failed" */
export function words(word) {
  return word.replace(/_/g, " ");
}
