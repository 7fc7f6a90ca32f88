// The form of one panel, with a picture of what it will show beside it.

import type { Board } from "./board";
import { el, labelled, select } from "./dom";
import { Shown } from "./panel";
import { queriesForm } from "./queries_form";
import { KINDS, MEASURED, type Panel, type Threshold } from "./types";

const UNITS: [string, string][] = [
  ["", "none"], ["1", "share of a whole, shown in %"], ["%", "percent"], ["By", "bytes"], ["By/s", "bytes a second"], ["s", "seconds"], ["ms", "milliseconds"],
  ["{request}/s", "requests a second"], ["Cel", "degrees Celsius"], ["W", "watts"],
];
const SEVERITIES: [string, string][] = [["", "any"], ["info", "info and worse"], ["warning", "warning and worse"], ["error", "error and worse"], ["critical", "critical"]];
const PAUSE = 500; // ms without a key before the picture is drawn anew

function box(value: string | number | undefined, change: (value: string) => void, more: Record<string, string | number> = {}): HTMLInputElement {
  const made = el("input", { class: "form-control", value: value ?? "", oninput: () => change(made.value), ...more });
  return made;
}

function number(text: string): number | undefined {
  return text.trim() === "" || !Number.isFinite(Number(text)) ? undefined : Number(text);
}

function thresholdsForm(panel: Panel, changed: () => void): HTMLElement {
  const list = el("div", {});
  const draw = (): void => {
    const rows = (panel.thresholds ?? []).map((t, i) => el("div", { class: "d-flex gap-2 mb-1" },
      box(t.value, (v) => { t.value = number(v) ?? 0; changed(); }, { type: "number", step: "any", "aria-label": `Threshold ${i + 1}: from` }),
      (() => {
        const colour = select(["green", "yellow", "orange", "red", "blue"].map((c) => [c, c]), t.colour, () => { t.colour = colour.value; changed(); });
        colour.setAttribute("aria-label", `Threshold ${i + 1}: colour`);
        return colour;
      })(),
      el("button", { type: "button", class: "btn", "aria-label": `Take threshold ${i + 1} away`, onclick: () => { set((panel.thresholds ?? []).filter((o) => o !== t)); } }, "×")));
    list.replaceChildren(...rows, el("button", { type: "button", class: "btn btn-sm", onclick: () => { set([...(panel.thresholds ?? []), { value: 0, colour: "red" }]); } }, "Add a threshold"));
  };
  const set = (thresholds: Threshold[]): void => {
    panel.thresholds = thresholds;
    draw();
    changed();
  };
  draw();
  return el("fieldset", { class: "mb-2" }, el("legend", { class: "form-label" }, "Thresholds: from a value upward, a colour"), list);
}

function measured(panel: Panel, board: Board, changed: () => void): HTMLElement[] {
  const units = UNITS.some(([v]) => v === (panel.unit ?? "")) ? UNITS : [...UNITS, [panel.unit ?? "", panel.unit ?? ""] as [string, string]];
  const unit = select(units, panel.unit ?? "", () => { panel.unit = unit.value; changed(); });
  const stack = el("input", { class: "form-check-input", type: "checkbox", onchange: () => { panel.stack = stack.checked; changed(); } });
  stack.checked = panel.stack ?? false;
  const setUnit = (found: string): void => {
    if (panel.unit || !found) return;
    panel.unit = found;
    if (![...unit.options].some((o) => o.value === found)) unit.append(el("option", { value: found }, found));
    unit.value = found;
  };
  return [
    queriesForm(panel, board.definition.variables ?? [], changed, setUnit),
    el("div", { class: "wk-fields" },
      labelled("Unit", unit),
      labelled("Decimals", box(panel.decimals, (v) => { panel.decimals = number(v); changed(); }, { type: "number", min: 0, max: 6 }), "empty: as fits"),
      labelled("From", box(panel.min, (v) => { panel.min = number(v); changed(); }, { type: "number", step: "any" }), "where the axis begins"),
      labelled("To", box(panel.max, (v) => { panel.max = number(v); changed(); }, { type: "number", step: "any" }), "where it ends")),
    panel.kind === "lines" ? el("label", { class: "form-check" }, stack, el("span", { class: "form-check-label" }, "Stack the series on each other")) : el("span", {}),
    thresholdsForm(panel, changed),
  ];
}

function listed(panel: Panel, changed: () => void): HTMLElement[] {
  const severity = select(SEVERITIES, panel.severity ?? "", () => { panel.severity = severity.value; changed(); });
  const logs = panel.kind === "logs";
  const field = (name: "words" | "host" | "service", label: string, hint: string): HTMLElement =>
    labelled(label, box(panel[name], (v) => { panel[name] = v; changed(); }), hint);
  if (panel.kind === "text") {
    const text = el("textarea", { class: "form-control", rows: 8, oninput: () => { panel.text = text.value; changed(); } });
    text.value = panel.text ?? "";
    return [labelled("Text", text, "Markdown")];
  }
  return [
    ...(panel.kind === "health" ? [] : [field("words", "Words", logs ? "every one has to occur in the line" : "in the name")]),
    ...(panel.kind === "situations" ? [] : [field("service", "Service", "or a variable, such as $service")]),
    ...(["logs", "alerts"].includes(panel.kind ?? "") ? [field("host", "Host", "or a variable, such as $host"), labelled("Severity", severity)] : []),
  ];
}

function place(panel: Panel, changed: () => void): HTMLElement {
  const field = (name: "x" | "y" | "w" | "h", label: string, least: number, most: number, add: number): HTMLElement => {
    const made = box((panel[name] ?? 0) + add, (v) => {
      const value = Math.round(number(v) ?? NaN) - add;
      if (Number.isFinite(value)) panel[name] = Math.min(most - add, Math.max(least - add, value));
      panel.w = Math.min(panel.w ?? 6, 12);
      panel.x = Math.min(panel.x ?? 0, 12 - (panel.w ?? 6));
      changed();
    }, { type: "number", min: least, max: most });
    return labelled(label, made);
  };
  return el("details", { class: "mb-2" }, el("summary", {}, "Where it stands"), el("div", { class: "wk-fields mt-2" },
    field("x", "Column", 1, 12, 1), field("y", "Row", 1, 1000, 1), field("w", "Columns wide", 1, 12, 0), field("h", "Rows high", 1, 40, 0)));
}

/** What is left out when a panel of this kind is saved: fields of other kinds, and empty ones. */
function tidy(panel: Panel): Panel {
  const out = { ...panel };
  if (!MEASURED.includes(out.kind ?? "lines")) delete out.queries;
  else out.queries = out.queries?.filter((q) => q.promql?.trim() || q.spans);
  if (out.kind !== "text") delete out.text;
  for (const name of Object.keys(out) as (keyof Panel)[]) if (out[name] === undefined || out[name] === "") delete out[name];
  return out;
}

/** Ask for a panel; nothing when it was cancelled. */
export async function panelForm(panel: Panel, board: Board, heading: string): Promise<Panel | undefined> {
  const preview = new Shown(panel);
  preview.element.className = "wk-preview";
  let timer = 0;
  const show = (): void => {
    preview.panel = tidy(panel);
    preview.place();
    void preview.load({ ...board.asking(), zoom: () => undefined });
  };
  const changed = (): void => {
    clearTimeout(timer);
    timer = window.setTimeout(show, PAUSE);
  };
  const title = box(panel.title, (v) => { panel.title = v; changed(); }, { maxlength: 200 });
  const kind = select(KINDS, panel.kind ?? "lines", () => { panel.kind = kind.value; if (MEASURED.includes(kind.value)) panel.queries ??= [{ promql: "" }]; fill(); changed(); });
  const own = el("div", {});
  const fill = (): void => own.replaceChildren(...(MEASURED.includes(panel.kind ?? "lines") ? measured(panel, board, changed) : listed(panel, changed)));
  fill();
  const description = box(panel.description, (v) => { panel.description = v; }, { maxlength: 1000 });
  const dialog = el("dialog", { class: "wk-dialog wk-wide", "aria-labelledby": "panel-form-title" });
  const done = new Promise<Panel | undefined>((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "use" ? tidy(panel) : undefined));
  });
  dialog.append(el("form", { method: "dialog" },
    el("h2", { id: "panel-form-title" }, heading),
    el("div", { class: "wk-form" },
      el("div", {}, labelled("Title", title), labelled("Shown as", kind), own, labelled("Description", description, "shown when the title is pointed at"), place(panel, changed)),
      el("div", {}, el("div", { class: "form-label" }, "As it will look"), preview.element)),
    el("div", { class: "d-flex gap-2 mt-2" },
      el("button", { class: "btn btn-link ms-auto", value: "", formnovalidate: true }, "Cancel"),
      el("button", { class: "btn btn-primary", value: "use" }, "Use it"))));
  document.body.append(dialog);
  dialog.showModal();
  title.focus();
  show();
  const result = await done;
  clearTimeout(timer);
  preview.remove();
  dialog.remove();
  return result;
}
