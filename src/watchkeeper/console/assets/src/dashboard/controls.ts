// What stands above the panels: variables, the time, and how often to look again. All of it is in the address.

import { moment } from "../times";
import { el, labelled, select } from "./dom";
import { ALL, type Chosen, type Span, type Variable } from "./types";

const SPANS: [string, string][] = [
  ["900", "Last 15 minutes"], ["3600", "Last hour"], ["21600", "Last 6 hours"], ["86400", "Last day"],
  ["604800", "Last 7 days"], ["2592000", "Last 30 days"],
];
const REFRESH: [string, string][] = [["0", "Off"], ["10", "10 s"], ["30", "30 s"], ["60", "1 min"], ["300", "5 min"]];

/** What the address says: ?last=3600&var-host=a&var-host=b, or ?from=…&to=… in Unix ms. */
export function asked(search: string): { span: Span | undefined; chosen: Chosen } {
  const query = new URLSearchParams(search);
  const number = (name: string): number | undefined => {
    const value = Number(query.get(name) ?? NaN);
    return Number.isFinite(value) && value > 0 ? value : undefined;
  };
  const [from, to, last] = [number("from"), number("to"), number("last")];
  const chosen: Chosen = {};
  for (const [name, value] of query) if (name.startsWith("var-")) (chosen[name.slice(4)] ??= []).push(value);
  const span = from !== undefined && to !== undefined && from < to ? { from, to } : last !== undefined ? { last } : undefined;
  return { span, chosen };
}

/** The address for what is shown. */
export function address(span: Span, chosen: Chosen): string {
  const query = new URLSearchParams();
  if (span.from !== undefined && span.to !== undefined) {
    query.set("from", String(Math.round(span.from)));
    query.set("to", String(Math.round(span.to)));
  } else query.set("last", String(span.last ?? 3600));
  for (const [name, values] of Object.entries(chosen)) for (const value of values) query.append(`var-${name}`, value);
  return `${location.pathname}?${query.toString()}`;
}

function local(ms: number): string {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The choice of the time. */
export function timeControl(span: Span, choose: (span: Span) => void): HTMLElement {
  const fixed = span.from !== undefined && span.to !== undefined;
  const options: [string, string][] = [...SPANS, ["", "From … to …"]];
  const current = fixed ? "" : String(span.last ?? 3600);
  if (!options.some(([v]) => v === current)) options.unshift([current, `Last ${current} s`]);
  const list = select(options, current, () => {
    if (list.value) choose({ last: Number(list.value) });
    else choose({ from: Date.now() - (span.last ?? 3600) * 1000, to: Date.now() });
  });
  const row = el("div", { class: "d-flex flex-wrap gap-2 align-items-end" }, labelled("Time", list));
  if (!fixed) return row;
  const from = el("input", { class: "form-control", type: "datetime-local", value: local(span.from ?? 0) });
  const to = el("input", { class: "form-control", type: "datetime-local", value: local(span.to ?? 0) });
  const change = (): void => {
    const [a, b] = [moment(from.value).getTime(), moment(to.value).getTime()];
    if (Number.isFinite(a) && Number.isFinite(b) && a < b) choose({ from: a, to: b });
  };
  from.addEventListener("change", change);
  to.addEventListener("change", change);
  row.append(labelled("From", from), labelled("To", to));
  return row;
}

/** The choice of how often to look again. */
export function refreshControl(seconds: number, choose: (seconds: number) => void): HTMLElement {
  const options = REFRESH.some(([v]) => v === String(seconds)) ? REFRESH : [...REFRESH, [String(seconds), `${seconds} s`] as [string, string]];
  const list = select(options, String(seconds), () => choose(Number(list.value)));
  return labelled("Look again", list);
}

/** The choice of a variable's value, or of several. */
export function variableControl(variable: Variable, values: string[], chosen: string[], choose: (chosen: string[]) => void): HTMLElement {
  const title = variable.title || variable.name;
  if (variable.kind === "text") {
    const input = el("input", { class: "form-control", value: chosen[0] ?? "", onchange: () => choose([input.value]) });
    return labelled(title, input);
  }
  if (!variable.multiple) {
    const options: [string, string][] = [...(variable.all ? [[ALL, "All"] as [string, string]] : []), ...values.map((v) => [v, v] as [string, string])];
    if (!options.length) options.push(["", "none there yet"]);
    const list = select(options, chosen[0] ?? "", () => choose(list.value ? [list.value] : []));
    return labelled(title, list);
  }
  return several(title, variable, values, chosen, choose);
}

function several(title: string, variable: Variable, values: string[], chosen: string[], choose: (chosen: string[]) => void): HTMLElement {
  const said = chosen.includes(ALL) ? "All" : chosen.join(", ") || "none there yet";
  const boxes = values.map((value) => {
    const box = el("input", { class: "form-check-input", type: "checkbox", value });
    box.checked = chosen.includes(value);
    return el("label", { class: "form-check mb-1" }, box, el("span", { class: "form-check-label" }, value));
  });
  const ticked = (): string[] => boxes.map((b) => b.querySelector("input")).filter((b) => b?.checked).map((b) => b?.value ?? "");
  const panel = el("div", { class: "card card-body shadow wk-several" },
    variable.all ? el("button", { type: "button", class: "btn btn-sm mb-2", onclick: () => choose([ALL]) }, "All of them") : null,
    el("div", { class: "wk-pick" }, ...boxes),
    el("button", { type: "button", class: "btn btn-sm btn-primary mt-2", onclick: () => choose(ticked().length ? ticked() : variable.all ? [ALL] : chosen) }, "Show these"));
  const summary = el("summary", { class: "form-select text-truncate", "aria-label": `${title}: ${said}` }, said);
  return el("div", { class: "mb-2 wk-variable" }, el("div", { class: "form-label" }, title), el("details", {}, summary, panel));
}
