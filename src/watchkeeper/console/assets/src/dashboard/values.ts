// The kinds of panels that are no chart: numbers, gauges, bars, tables, log lines, alerts, health, text.

import { isShare, withUnit } from "../units";
import { el } from "./dom";
import { colourOf, type Answer, type Line, type Numbers, type Panel, type Row } from "./types";

const SEVERITY: Record<string, string> = {
  critical: "red", fatal: "red", error: "orange", high: "orange", warning: "yellow", warn: "yellow", medium: "yellow",
  info: "azure", low: "azure", normal: "green",
};

/** A value with the panel's unit and decimals. */
export function shown(value: number | null, panel: Panel): string {
  if (value === null || panel.decimals === undefined) return withUnit(value, panel.unit ?? "");
  const unit = panel.unit ?? "";
  if (isShare(unit)) return `${(value * 100).toFixed(panel.decimals)} %`;
  return ["", "%", "percent"].includes(unit) ? `${value.toFixed(panel.decimals)}${unit ? " %" : ""}` : withUnit(value, unit);
}

/** The last value that there is. */
export function last(line: Line): number | null {
  for (let i = line.values.length - 1; i >= 0; i--) if (line.values[i] !== null) return line.values[i] ?? null;
  return null;
}

function spark(line: Line): SVGElement | null {
  const there = line.values.map((v, i) => [i, v] as const).filter((p): p is readonly [number, number] => p[1] !== null);
  if (there.length < 3) return null;
  const low = Math.min(...there.map((p) => p[1]));
  const span = Math.max(...there.map((p) => p[1])) - low || 1;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 24");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("wk-spark");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  path.setAttribute("points", there.map(([i, v]) => `${((i / (line.values.length - 1)) * 100).toFixed(1)},${(22 - ((v - low) / span) * 20).toFixed(1)}`).join(" "));
  svg.append(path);
  return svg;
}

function stat(panel: Panel, numbers: Numbers): Node[] {
  const many = numbers.lines.length > 1;
  return numbers.lines.slice(0, 12).map((line) => {
    const value = last(line);
    const tile = el("div", { class: `wk-stat${many ? " wk-stat-small" : ""}` }, el("div", { class: "wk-figure" }, shown(value, panel)), el("div", { class: "text-secondary small text-break" }, line.name), spark(line));
    const colour = colourOf(value, panel.thresholds);
    if (colour) tile.style.setProperty("--wk-edge", colour);
    return tile;
  });
}

function scale(panel: Panel, numbers: Numbers): [number, number] {
  const values = numbers.lines.map(last).filter((v): v is number => v !== null);
  const most = Math.max(0, ...values);
  return [panel.min ?? Math.min(0, ...values), panel.max ?? (isShare(panel.unit ?? "") && most <= 1 ? 1 : most || 1)];
}

function bars(panel: Panel, numbers: Numbers): Node[] {
  const [low, high] = scale(panel, numbers);
  const sorted = [...numbers.lines].sort((a, b) => (last(b) ?? -Infinity) - (last(a) ?? -Infinity));
  return sorted.map((line) => {
    const value = last(line);
    const bar = el("div", { class: "wk-bar" }, el("span", { class: "text-break" }, line.name), el("span", { class: "wk-bar-value" }, shown(value, panel)), el("i", { "aria-hidden": "true" }));
    const share = value === null ? 0 : Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
    bar.style.setProperty("--wk-share", `${(share * 100).toFixed(1)}%`);
    bar.style.setProperty("--wk-edge", colourOf(value, panel.thresholds) ?? "var(--tblr-primary)");
    return bar;
  });
}

function gauge(panel: Panel, numbers: Numbers): Node[] {
  const [low, high] = scale(panel, numbers);
  return numbers.lines.slice(0, 8).map((line) => {
    const value = last(line);
    const share = value === null ? 0 : Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
    const made = el("div", { class: "wk-gauge" }, el("div", { class: "wk-dial", "aria-hidden": "true" }), el("div", { class: "wk-figure" }, shown(value, panel)), el("div", { class: "text-secondary small text-break" }, line.name));
    made.style.setProperty("--wk-share", `${(share * 180).toFixed(1)}deg`);
    made.style.setProperty("--wk-edge", colourOf(value, panel.thresholds) ?? "var(--tblr-primary)");
    return made;
  });
}

function table(panel: Panel, numbers: Numbers): Node[] {
  const names = [...new Set(numbers.lines.flatMap((l) => Object.keys(l.labels)))].filter((n) => n !== "__name__").sort().slice(0, 8);
  const head = el("tr", {}, ...(names.length ? names : ["Series"]).map((n) => el("th", { scope: "col" }, n)), el("th", { scope: "col", class: "text-end" }, "Value"));
  const rows = numbers.lines.map((line) => {
    const cell = el("td", { class: "text-end text-nowrap" }, shown(last(line), panel));
    const colour = colourOf(last(line), panel.thresholds);
    if (colour) cell.style.boxShadow = `inset -4px 0 0 ${colour}`;
    return el("tr", {}, ...(names.length ? names.map((n) => line.labels[n] ?? "") : [line.name]).map((v) => el("td", {}, v)), cell);
  });
  return [el("div", { class: "table-responsive" }, el("table", { class: "table table-sm card-table" }, el("thead", {}, head), el("tbody", {}, ...rows)))];
}

function badge(word: string): HTMLElement {
  return el("span", { class: `badge bg-${SEVERITY[word] ?? "secondary"}-lt` }, word);
}

function log(row: Row): Node {
  return el("div", { class: "wk-line" }, el("span", {}, el("time", { datetime: row.at, "data-clock": true }, row.at)), el("span", {}, badge(row.severity), ` ${row.source ?? ""}`), el("span", { class: "wk-log" }, row.text));
}

function record(row: Row): Node {
  return el("div", { class: "wk-told" }, badge(row.severity), el("div", {}, el("a", { href: row.url ?? "#", class: "wk-link" }, row.name ?? ""), row.text || row.item ? el("div", { class: "text-secondary small text-break" }, [row.item, row.text].filter(Boolean).join(": ")) : null), el("time", { class: "text-secondary small", datetime: row.at, "data-ago": true }, row.at));
}

function health(row: Row): Node {
  const tile = el("a", { class: "wk-health", href: row.url ?? "#" }, el("span", { class: "wk-figure" }, row.value === null || row.value === undefined ? "–" : String(Math.round(row.value))), el("span", { class: "text-break" }, row.name ?? ""), badge(row.severity));
  tile.style.setProperty("--wk-edge", `var(--tblr-${SEVERITY[row.severity] ?? "secondary"})`);
  return tile;
}

const EMPTY: Record<string, string> = {
  logs: "No log line matches in this time.", alerts: "No such alert fires.", situations: "No situation is open.",
  health: "No service has indicators yet. A service gets them on its page.",
};

/** Draw what is no chart; whether there was something to draw. */
export function drawn(body: HTMLElement, panel: Panel, answer: Answer): boolean {
  const numbers = answer.numbers;
  if (answer.kind === "text") {
    const text = el("div", { class: "wk-markdown" });
    text.innerHTML = answer.html ?? "";  // made harmless by the server
    body.replaceChildren(text);
    return true;
  }
  if (numbers) {
    if (!numbers.lines.length) return empty(body, "There are no values in this time. Look at a longer time, or change the query.");
    const draw = { stat, bars, gauge, table }[answer.kind] ?? table;
    body.replaceChildren(el("div", { class: `wk-of-${answer.kind}` }, ...draw(panel, numbers)));
    return true;
  }
  const rows = answer.rows ?? [];
  if (!rows.length) return empty(body, EMPTY[answer.kind] ?? "There is nothing to show.");
  const draw = answer.kind === "logs" ? log : answer.kind === "health" ? health : record;
  body.replaceChildren(el("div", { class: `wk-of-${answer.kind}` }, ...rows.map(draw)));
  return true;
}

/** Say why there is nothing. */
export function empty(body: HTMLElement, said: string): false {
  body.replaceChildren(el("div", { class: "wk-empty" }, said));
  return false;
}
