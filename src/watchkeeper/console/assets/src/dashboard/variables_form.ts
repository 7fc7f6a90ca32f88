// The variables of a dashboard, as a form.

import { el, labelled, select } from "./dom";
import type { Variable } from "./types";

const KINDS: [string, string][] = [
  ["label", "values of a label"], ["services", "services that answer requests"], ["list", "a list"], ["interval", "lengths of time"], ["text", "what is typed"],
];

function words(text: string): string[] {
  return text.split(",").map((w) => w.trim()).filter(Boolean);
}

function one(variable: Variable, number: number, remove: () => void): HTMLElement {
  const box = (name: "name" | "title" | "label" | "series", label: string, hint: string): HTMLElement => {
    const made = el("input", { class: "form-control", value: variable[name] ?? "", oninput: () => { variable[name] = made.value.trim(); } });
    return labelled(label, made, hint);
  };
  const tick = (name: "multiple" | "all", label: string): HTMLElement => {
    const made = el("input", { class: "form-check-input", type: "checkbox", onchange: () => { variable[name] = made.checked; } });
    made.checked = variable[name] ?? false;
    return el("label", { class: "form-check" }, made, el("span", { class: "form-check-label" }, label));
  };
  const values = el("input", { class: "form-control", value: (variable.values ?? []).join(", "), oninput: () => { variable.values = words(values.value); } });
  const own = el("div", { class: "wk-fields" });
  const kind = select(KINDS, variable.kind ?? "label", () => { variable.kind = kind.value; fill(); });
  const fill = (): void => own.replaceChildren(...(variable.kind === "list" || variable.kind === "interval"
    ? [labelled("Values", values, "with commas between")]
    : (variable.kind ?? "label") === "label" ? [box("label", "Label", "such as host.name"), box("series", "Of these series", 'a metric, such as up, or up{job="$job"}; empty: all')] : []));
  fill();
  return el("fieldset", { class: "wk-query" }, el("legend", { class: "form-label d-flex" }, `Variable ${number}`, el("button", { type: "button", class: "btn btn-sm ms-auto", onclick: remove, "aria-label": `Take variable ${number} away` }, "×")),
    el("div", { class: "wk-fields" }, box("name", "Name", "queries say $ and this; small letters"), box("title", "Title", "shown above the panels"), labelled("What it can be", kind)),
    own, tick("multiple", "Several can be chosen (use =~ in queries)"), tick("all", "“All” can be chosen"));
}

/** Ask for the variables; nothing when it was cancelled. */
export async function variablesForm(variables: Variable[]): Promise<Variable[] | undefined> {
  const list = el("div", {});
  const draw = (): void => list.replaceChildren(
    ...variables.map((v, i) => one(v, i + 1, () => { variables.splice(i, 1); draw(); })),
    el("button", { type: "button", class: "btn btn-sm mb-2", onclick: () => { variables.push({ name: "", kind: "label", multiple: true, all: true }); draw(); } }, "Add a variable"));
  draw();
  const dialog = el("dialog", { class: "wk-dialog", "aria-labelledby": "variables-form-title" });
  const done = new Promise<Variable[] | undefined>((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "use" ? variables.filter((v) => v.name) : undefined));
  });
  dialog.append(el("form", { method: "dialog" }, el("h2", { id: "variables-form-title" }, "Variables"),
    el("p", { class: "text-secondary" }, "What can be chosen above the panels. A variable may use those before it."), list,
    el("div", { class: "d-flex gap-2" }, el("button", { class: "btn btn-link ms-auto", value: "" }, "Cancel"), el("button", { class: "btn btn-primary", value: "use" }, "Use them"))));
  document.body.append(dialog);
  dialog.showModal();
  const result = await done;
  dialog.remove();
  return result;
}
