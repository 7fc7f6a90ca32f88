// The queries of a panel: a metric, a function and conditions are chosen and become PromQL, which can be written too; or
// what spans tell of requests.

import TomSelect from "tom-select/base";
import { ask, Trouble } from "./ask";
import { el, labelled, select } from "./dom";
import type { Panel, Query, Variable } from "./types";

interface Metric { name: string; series: number; kind: string; unit: string; }
interface Condition { label: string; value: string; }
export interface Choice { metric: string; how: string; by: string; conditions: Condition[]; }

const HOW: [string, string][] = [
  ["", "as it is"], ["rate", "growth a second (of counters)"], ["avg", "mean"], ["sum", "sum"], ["max", "greatest"], ["min", "least"], ["count", "how many series"],
  ["sum-rate", "sum of the growth a second"], ["p50", "half of the values are below"], ["p95", "95 % of the values are below"], ["p99", "99 % of the values are below"],
];
const SPANS: [string, string][] = [["rate", "requests a second"], ["errors", "share that failed"], ["p50", "duration of half of them"], ["p95", "duration of 95 %"], ["p99", "duration of 99 %"]];
const PLAIN = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const quoted = (text: string): string => `"${text.replace(/\\/g, "\\\\").replace(/"/g, '\\"')}"`;
const label = (name: string): string => (LABEL.test(name) ? name : quoted(name));

/** The PromQL of what was chosen. Values that are variables are patterns, for there may be several. */
export function composed(choice: Choice): string {
  if (!choice.metric) return "";
  const conditions = choice.conditions.filter((c) => c.label && c.value)
    .map((c) => `${label(c.label)}${c.value.startsWith("$") ? "=~" : "="}${quoted(c.value)}`);
  const name = PLAIN.test(choice.metric) ? choice.metric : "";
  const inner = [...(name ? [] : [quoted(choice.metric)]), ...conditions].join(", ");
  const selector = `${name}${inner ? `{${inner}}` : ""}`;
  const by = choice.by ? ` by (${label(choice.by)})` : "";
  const rate = `rate(${selector}[$rate_interval])`;
  switch (choice.how) {
    case "": return choice.by ? `avg${by} (${selector})` : selector;
    case "rate": return choice.by ? `sum${by} (${rate})` : rate;
    case "sum-rate": return `sum${by} (${rate})`;
    case "p50": case "p95": case "p99": return `quantile${by} (0.${choice.how.slice(1)}, ${selector})`;
    default: return `${choice.how}${by} (${selector})`;
  }
}

/** The combobox of metrics, with what each is. */
function metricBox(choose: (metric: Metric) => void): HTMLElement {
  const list = el("select", { "aria-label": "Metric" }, el("option", { value: "" }, ""));
  const holder = labelled("Metric", list);
  const box = new TomSelect(list, {
    valueField: "name", labelField: "name", searchField: [], maxOptions: 100, preload: "focus", loadThrottle: 200, placeholder: "Type to find a metric",
    shouldLoad: () => true, score: () => () => 1, hidePlaceholder: true,
    load: (words: string, done: (found?: Metric[]) => void) => {
      ask<{ metrics: Metric[] }>("GET", `/explore/metrics/names.json?q=${encodeURIComponent(words)}`).then(({ data }) => {
        box.clearOptions((option) => box.items.includes(String(option.name)));
        done(data.metrics);
      }, () => done());
    },
    onItemAdd: (name: string) => choose(box.options[name] as unknown as Metric),
    render: {
      option: (m: Metric, escape: (text: string) => string) => `<div>${escape(m.name)} <span class="text-secondary small">${escape([m.kind === "unknown" ? "" : m.kind, m.unit === "1" ? "share or count" : m.unit, `${m.series} series`].filter(Boolean).join(" · "))}</span></div>`,
      no_results: () => '<div class="no-results">No metric of that name has arrived.</div>',
      loading: () => '<div class="no-results">Searching…</div>',
    },
  });
  list.setAttribute("aria-hidden", "true");
  box.control_input.removeAttribute("aria-labelledby");
  box.control_input.setAttribute("aria-label", "Metric");
  box.dropdown_content.removeAttribute("aria-labelledby");
  box.dropdown_content.setAttribute("aria-label", "Metric");
  return holder;
}

/** Fields to choose from, which write the query anew whenever one of them changes. `known` are values that any label may
 * have: what is written, and what it is called. */
export function chooser(known: [string, string][], write: (promql: string) => void, setUnit: (unit: string) => void): HTMLElement {
  const choice: Choice = { metric: "", how: "", by: "", conditions: [] };
  let labels: Record<string, string[]> = {};
  const again = (): void => write(composed(choice));
  const how = select(HOW, "", () => { choice.how = how.value; again(); });
  const by = select([["", "nothing"]], "", () => { choice.by = by.value; again(); });
  const conditions = el("div", {});
  const draw = (): void => {
    by.replaceChildren(el("option", { value: "" }, "nothing"), ...Object.keys(labels).map((l) => el("option", { value: l }, l)));
    by.value = choice.by in labels ? choice.by : "";
    conditions.replaceChildren(
      ...choice.conditions.map((c, i) => condition(c, i)),
      el("button", { type: "button", class: "btn btn-sm", onclick: () => { choice.conditions.push({ label: Object.keys(labels)[0] ?? "", value: "" }); draw(); } }, "Add a condition"));
  };
  const condition = (c: Condition, i: number): HTMLElement => {
    const values: [string, string][] = [["", "any"], ...known, ...(labels[c.label] ?? []).map((v) => [v, v] as [string, string])];
    const name = select(Object.keys(labels).map((l) => [l, l]), c.label, () => { c.label = name.value; c.value = ""; draw(); again(); });
    const value = select(values, c.value, () => { c.value = value.value; again(); });
    name.setAttribute("aria-label", `Condition ${i + 1}: label`);
    value.setAttribute("aria-label", `Condition ${i + 1}: value`);
    return el("div", { class: "d-flex gap-2 mb-1" }, name, value, el("button", { type: "button", class: "btn", "aria-label": `Take condition ${i + 1} away`, onclick: () => { choice.conditions.splice(i, 1); draw(); again(); } }, "×"));
  };
  draw();
  const metric = metricBox((found) => {
    choice.metric = found.name;
    choice.how = found.kind === "counter" ? "rate" : "";
    how.value = choice.how;
    setUnit(found.kind === "counter" && found.unit ? `${found.unit}/s` : found.unit);
    again();
    ask<{ labels: Record<string, string[]> }>("GET", `/explore/metrics/labels.json?name=${encodeURIComponent(found.name)}`).then(({ data }) => {
      labels = data.labels;
      draw();
    }, (error: unknown) => { if (!(error instanceof Trouble)) throw error; });
  });
  return el("div", { class: "wk-chooser" }, metric, el("div", { class: "wk-fields" }, labelled("Shown", how), labelled("One line for each", by)), el("div", { class: "form-label" }, "Only where"), conditions);
}

function queryForm(query: Query, number: number, variables: Variable[], changed: () => void, setUnit: (unit: string) => void, remove?: () => void): HTMLElement {
  const promql = el("textarea", { class: "form-control font-monospace", rows: 3, spellcheck: "false", oninput: () => { query.promql = promql.value; changed(); } });
  promql.value = query.promql ?? "";
  const written = el("div", {},
    el("details", { open: !query.promql }, el("summary", {}, "Choose from what is measured"), chooser(variables.map((v) => [`$${v.name}`, `as chosen above: ${v.title || v.name}`]), (text) => { promql.value = text; query.promql = text; changed(); }, setUnit)),
    labelled("Query", promql, "PromQL; $rate_interval, $step and $range are lengths of time that fit what is shown"));
  const spans = select(SPANS, query.spans || "rate", () => { query.spans = spans.value; changed(); });
  const service = el("input", { class: "form-control", value: query.service ?? "", oninput: () => { query.service = service.value; changed(); } });
  const requests = el("div", { class: "wk-fields" }, labelled("What", spans), labelled("Service", service, "empty: all; or a variable, such as $service"));
  const of = select([["promql", "Metrics"], ["spans", "Requests, from traces"]], query.spans ? "spans" : "promql", () => {
    if (of.value === "spans") { query.spans = spans.value; delete query.promql; } else { delete query.spans; delete query.service; query.promql = promql.value; }
    flip();
    changed();
  });
  const flip = (): void => { written.hidden = of.value !== "promql"; requests.hidden = of.value !== "spans"; };
  flip();
  const legend = el("input", { class: "form-control", value: query.legend ?? "", oninput: () => { query.legend = legend.value; changed(); } });
  return el("fieldset", { class: "wk-query" }, el("legend", { class: "form-label d-flex" }, `Query ${number}`, remove ? el("button", { type: "button", class: "btn btn-sm ms-auto", onclick: remove, "aria-label": `Take query ${number} away` }, "×") : null),
    labelled("Asks", of), written, requests, labelled("Name of a series", legend, "such as {{host.name}}; empty: what tells them apart"));
}

/** All queries of a panel. */
export function queriesForm(panel: Panel, variables: Variable[], changed: () => void, setUnit: (unit: string) => void): HTMLElement {
  const place = el("div", {});
  const draw = (): void => {
    const queries = (panel.queries ??= [{ promql: "" }]);
    place.replaceChildren(
      ...queries.map((q, i) => queryForm(q, i + 1, variables, changed, setUnit, queries.length > 1 ? () => { queries.splice(i, 1); draw(); changed(); } : undefined)),
      el("button", { type: "button", class: "btn btn-sm mb-2", onclick: () => { queries.push({ promql: "" }); draw(); } }, "Add a query"));
  };
  draw();
  return place;
}
