// Elements in one expression: el("button", { class: "btn", onclick: … }, "Save"). Text is always text.

type Value = string | number | boolean | null | undefined | ((event: Event) => void);

/** An element with attributes (functions listen, true is an empty attribute, false is none) and children. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Record<string, Value> = {}, ...children: (Node | string | null | undefined)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.replace(/^on/, ""), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((c): c is Node | string => c !== null && c !== undefined));
  return made;
}

let count = 0;

/** A label above an input, which it names. */
export function labelled(text: string, input: HTMLElement, hint = "", more = ""): HTMLElement {
  input.id ||= `d-${(count += 1)}`;
  const help = hint ? el("small", { class: "form-hint", id: `${input.id}-h` }, hint) : null;
  if (help) input.setAttribute("aria-describedby", help.id);
  return el("div", { class: `mb-2 ${more}` }, el("label", { class: "form-label", for: input.id }, text), input, help);
}

/** A select of [value, text] pairs. */
export function select(options: [string, string][], value: string, onchange?: (event: Event) => void): HTMLSelectElement {
  const made = el("select", { class: "form-select", onchange }, ...options.map(([v, t]) => el("option", { value: v }, t)));
  made.value = value;
  return made;
}
