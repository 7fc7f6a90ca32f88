// Rows of a form that can be added and taken away: labels, identifiers, matchers.

/** Show the buttons, which do nothing without this script, of all rows below this element. */
export function repeated(root: ParentNode): void {
  root.querySelectorAll<HTMLElement>("[data-row-add], [data-row-remove]").forEach((button) => { button.hidden = false; });
}

/** Listen once for the buttons of all rows. */
export function rows(): void {
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-row-add], [data-row-remove]");
    const group = button?.closest<HTMLElement>("[data-rows]");
    if (!button || !group) return;
    if (button.matches("[data-row-add]")) add(group, button);
    else remove(group, button);
    group.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

function add(group: HTMLElement, button: HTMLElement): void {
  const blank = group.querySelector("template")?.content.cloneNode(true) as DocumentFragment;
  repeated(blank);
  const first = blank.querySelector<HTMLElement>("input, select");
  button.before(blank);
  first?.focus();
}

/** The last row is emptied, not taken away. */
function remove(group: HTMLElement, button: HTMLElement): void {
  const all = [...group.querySelectorAll<HTMLElement>(".wk-row")];
  const row = button.closest<HTMLElement>(".wk-row");
  if (all.length > 1) row?.remove();
  else row?.querySelectorAll("input").forEach((input) => { input.value = ""; });
  const add = group.querySelector<HTMLElement>("[data-row-add]");
  (all.length > 1 ? add : row?.querySelector<HTMLElement>("input"))?.focus();
}
