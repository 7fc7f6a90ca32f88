// Lists: rows that are ticked, columns that are moved, and a list that does not renew itself under somebody's hands.

function ticked(form: ParentNode): HTMLInputElement[] {
  return [...form.querySelectorAll<HTMLInputElement>('input[name="pk"]:checked')];
}

function count(form: HTMLFormElement): void {
  const all = form.querySelectorAll('input[name="pk"]').length;
  const chosen = ticked(form).length;
  const every = form.querySelector<HTMLInputElement>('input[name="every"]');
  const head = form.querySelector<HTMLInputElement>("[data-tick-all]");
  const words = form.querySelector("[data-count-chosen]");
  if (head) {
    head.checked = chosen > 0 && chosen === all;
    head.indeterminate = chosen > 0 && chosen < all;
  }
  if (words) words.textContent = every?.checked ? "With all that match:" : chosen ? `With ${chosen} ticked:` : "With those that are ticked:";
  form.classList.toggle("wk-choosing", chosen > 0 || Boolean(every?.checked));
}

function move(button: HTMLButtonElement): void {
  const item = button.closest("li");
  const other = button.name === "up" ? item?.previousElementSibling : item?.nextElementSibling;
  if (!item || !other) return;
  if (button.name === "up") other.before(item);
  else other.after(item);
  button.focus();
}

/** Bring what is new below `root` to life. */
export function listed(root: ParentNode): void {
  root.querySelectorAll<HTMLInputElement>("[data-tick-all]").forEach((head) => { head.hidden = false; });
  root.querySelector<HTMLElement>("[data-focus]")?.focus();
}

/** Listen once for all lists, also those that come later. */
export function lists(): void {
  document.addEventListener("change", (event) => {
    const input = event.target as HTMLInputElement;
    const tick = input.closest(".wk-set")?.querySelector<HTMLInputElement>('input[name="set"]');
    if (tick && tick !== input) tick.checked = true; // what is filled in is meant
    const form = input.form;
    if (!form?.matches("[data-live-list]")) return;
    if ("tickAll" in input.dataset) {
      form.querySelectorAll<HTMLInputElement>('input[name="pk"]').forEach((box) => { box.checked = input.checked; });
    }
    count(form);
  });
  document.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("[data-columns] li button");
    if (!button) return;
    event.preventDefault();
    move(button);
  });
  // Whoever has ticked rows, or types in a box, keeps them.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const from = event.target as HTMLElement;
    if (from.matches("[data-live-list]") && from.classList.contains("wk-choosing")) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const answer = (event as CustomEvent<{ requestConfig: { elt: HTMLElement }; shouldSwap: boolean }>).detail;
    const from = answer.requestConfig.elt; // ticked while the answer was on its way
    if (from.matches("[data-live-list]") && from.classList.contains("wk-choosing")) answer.shouldSwap = false;
  });
}

/** Ask before a form is left in which something was typed. */
export function unsaved(): void {
  const forms = [...document.querySelectorAll<HTMLFormElement>("form[data-unsaved]")];
  let changed = forms.some((form) => form.querySelector(".is-invalid, .alert-warning") !== null);
  let sent = false;
  forms.forEach((form) => {
    form.addEventListener("input", () => { changed = true; });
    form.addEventListener("change", () => { changed = true; });
    form.addEventListener("submit", () => { sent = true; });
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed && !sent) event.preventDefault();
  });
}
