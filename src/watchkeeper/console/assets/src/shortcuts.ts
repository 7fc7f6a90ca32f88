// Shortcuts of single keys, as console/keys.py tells them. None while somebody types, none with Ctrl, Alt or Meta,
// and none at all when they are switched off.

const ROWS = "main :is(tbody tr, [data-row], a.list-group-item-action)";
const WAIT = 1500; // ms between "g" and the key of a page

/** Whether keys are typed into something now. */
function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement;
  return element.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName);
}

/** What of a row can have the focus: what leads to its record, before the box that ticks it. */
function handle(row: Element): HTMLElement | null {
  if (row.matches("a")) return row as HTMLElement;
  return row.querySelector<HTMLElement>("a[href]") ?? row.querySelector<HTMLElement>("button, input");
}

function move(step: number): void {
  const rows = [...document.querySelectorAll(ROWS)].filter((r) => handle(r)?.offsetParent);
  const here = rows.findIndex((r) => r.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step));
  const row = rows[next];
  if (!row) return;
  handle(row)?.focus();
  row.scrollIntoView({ block: "nearest" });
}

function choose(): void {
  document.activeElement?.closest(ROWS)?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
}

/** Do what a key stands for; whether it stood for something. */
function act(key: string): boolean {
  switch (key) {
    case "j":
    case "k":
      move(key === "j" ? 1 : -1);
      return true;
    case "x":
      choose();
      return true;
    case "/":
      document.getElementById("search")?.focus();
      return true;
    case "?":
      document.querySelector<HTMLDialogElement>("dialog#shortcuts")?.showModal();
      return true;
  }
  const goal = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  goal?.click();
  return goal !== null;
}

/** What is fetched anew while somebody is in it keeps the focus on the same link. */
export function keepFocus(): void {
  let link: string | null = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const active = document.activeElement;
    link = (event.target as Element).contains(active) ? (active?.getAttribute("href") ?? null) : null;
  });
  // At once: a key pressed before it settles has to find the focus where it was.
  document.addEventListener("htmx:afterSwap", () => {
    if (link && document.activeElement === document.body) {
      document.querySelector<HTMLElement>(`main a[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
    }
    link = null;
  });
}

/** Listen for the page. */
export function shortcuts(): void {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) (event.target as HTMLElement).blur();
  });
  if (document.body.dataset.keys === "off") return;
  let going = -Infinity; // when "g" was pressed
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open]")) return;
    const after = event.timeStamp - going <= WAIT;
    going = event.key === "g" && !after ? event.timeStamp : -Infinity;
    if (event.key === "g" && !after) return;
    if (after) {
      document.querySelector<HTMLElement>(`[data-go="${CSS.escape(event.key)}"]`)?.click();
      event.preventDefault();
    } else if (act(event.key)) {
      event.preventDefault();
    }
  });
}
