// The palette (Ctrl K, ⌘ K): pages, kinds, forms for new records, what can be done on this page, and records, which
// are searched for while somebody types. A combobox with a list, as the ARIA Authoring Practices have it.

interface Option {
  label: string;
  group: string;
  note?: string;
  url?: string;
  run?: () => void;
}

const MOST = 12;
/** Groups that are shown before anything is typed. */
const UNASKED = new Set(["On this page", "Page", "Bookmark"]);
const PAUSE = 120; // ms without a key before records are searched

/** What can be done on this page, and the pages of the navigation, as they are in it now. */
function here(): Option[] {
  const options: Option[] = [];
  document.querySelectorAll<HTMLElement>("main :is(.wk-actions :is(summary, a.btn, button), [data-key])").forEach((e) => {
    if (e.closest("details > form")) return; // a field of an action, not the action
    const label = (e.getAttribute("aria-label") ?? e.textContent ?? "").trim();
    if (label && !options.some((o) => o.label === label)) {
      options.push({ label, group: "On this page", run: () => doIt(e) });
    }
  });
  document.querySelectorAll<HTMLAnchorElement>("#sidebar-menu a[href]").forEach((a) => {
    const label = a.querySelector(".nav-link-title")?.textContent?.trim() ?? "";
    options.push({ label, group: "Page", url: a.href });
  });
  return options;
}

function doIt(element: HTMLElement): void {
  element.click();
  if (element.matches("summary")) {
    element.parentElement?.querySelector<HTMLElement>("form :is(input, select, textarea, button)")?.focus();
  }
}

/** How well an option answers, the lower the better; none when a word is missing. */
function rank(option: Option, words: string[]): number {
  const label = option.label.toLowerCase();
  const all = `${label} ${option.group.toLowerCase()}`;
  if (!words.every((w) => all.includes(w))) return Infinity;
  if (label.startsWith(words.join(" "))) return 0;
  return label.split(/[\s-]+/).some((w) => w.startsWith(words[0] ?? "")) ? 1 : 2;
}

async function rows(address: string): Promise<Option[]> {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    return answer.ok ? ((await answer.json()) as { rows: Option[] }).rows : [];
  } catch {
    return []; // the network is away; what is known stays
  }
}

class Palette {
  private readonly input: HTMLInputElement;
  private readonly list: HTMLElement;
  private readonly told: HTMLElement;
  private places: Option[] = [];
  private known = false;
  private options: Option[] = [];
  private chosen = 0;
  private timer = 0;
  private asked = "";

  constructor(private readonly dialog: HTMLDialogElement) {
    this.input = dialog.querySelector("input") as HTMLInputElement;
    this.list = dialog.querySelector("[role=listbox]") as HTMLElement;
    this.told = dialog.querySelector("[role=status]") as HTMLElement;
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("click", (event) => {
      const at = [...this.list.children].indexOf((event.target as Element).closest("li") as Element);
      if (at >= 0) this.take(at);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // outside of what is in it
    });
  }

  open(): void {
    if (this.dialog.open) return this.dialog.close();
    document.querySelectorAll<HTMLDialogElement>("dialog[open]").forEach((d) => d.close());
    this.input.value = "";
    this.dialog.showModal();
    this.input.focus();
    this.typed();
    if (this.known) return;
    this.known = true;
    void rows(this.dialog.dataset.places ?? "").then((found) => {
      this.places = found;
      this.typed();
    });
  }

  private typed(): void {
    const text = this.input.value.trim();
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const own = [...here(), ...this.places];
    const fitting = words.length ? own : own.filter((o) => UNASKED.has(o.group));
    const ranked = fitting
      .map((option, n) => ({ option, n, rank: words.length ? rank(option, words) : 0 }))
      .filter((r) => r.rank < Infinity)
      .sort((a, b) => a.rank - b.rank || (words.length ? a.option.label.length - b.option.label.length : 0) || a.n - b.n)
      .map((r) => r.option);
    const unique = ranked.filter((o, n) => !o.url || ranked.findIndex((p) => p.url === o.url || p.label === o.label) === n);
    this.show(unique.slice(0, words.length ? MOST : 2 * MOST), text);
    window.clearTimeout(this.timer);
    this.asked = text;
    if (text) this.timer = window.setTimeout(() => void this.search(text, unique), PAUSE);
  }

  private async search(text: string, own: Option[]): Promise<void> {
    const found = await rows(`${this.dialog.dataset.records}?q=${encodeURIComponent(text)}`);
    if (this.asked !== text || !this.dialog.open) return; // somebody typed on
    const all = `/search/?q=${encodeURIComponent(text)}`;
    const places = own.slice(0, found.length ? 6 : MOST);
    this.show([...places, ...found, { label: `Search for “${text}”`, group: "Search", url: all }], text);
  }

  private show(options: Option[], text: string): void {
    const before = this.options[this.chosen];
    const same = options.findIndex((o) => o.label === before?.label && o.group === before.group);
    this.options = options;
    this.list.replaceChildren(...options.map((option, n) => this.drawn(option, n)));
    this.told.textContent = options.length ? `${options.length} choices` : `Nothing for ${text}`;
    this.choose(this.chosen > 0 && same > 0 ? same : 0);
  }

  private drawn(option: Option, n: number): HTMLElement {
    const row = document.createElement("li");
    row.id = `palette-${n}`;
    row.setAttribute("role", "option");
    const label = document.createElement("span");
    label.textContent = option.label;
    const note = document.createElement("span");
    note.className = "wk-option-note";
    note.textContent = option.note ?? "";
    const group = document.createElement("span");
    group.className = "wk-option-group";
    group.textContent = option.group;
    row.append(label, note, group);
    return row;
  }

  private choose(n: number): void {
    this.chosen = n;
    [...this.list.children].forEach((row, i) => row.setAttribute("aria-selected", String(i === n)));
    const row = this.list.children[n];
    row?.scrollIntoView({ block: "nearest" });
    if (row) this.input.setAttribute("aria-activedescendant", row.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private key(event: KeyboardEvent): void {
    const last = this.options.length - 1;
    const to = { ArrowDown: this.chosen < last ? this.chosen + 1 : 0, ArrowUp: this.chosen > 0 ? this.chosen - 1 : last,
      PageDown: Math.min(last, this.chosen + 8), PageUp: Math.max(0, this.chosen - 8) }[event.key];
    if (to !== undefined) this.choose(to);
    else if (event.key === "Enter" && !event.isComposing) this.take(this.chosen, event.ctrlKey || event.metaKey);
    else return;
    event.preventDefault();
  }

  private take(n: number, aside = false): void {
    const option = this.options[n];
    if (!option) return;
    this.dialog.close();
    if (option.url && aside) window.open(option.url, "_blank", "noopener");
    else if (option.url) window.location.assign(option.url);
    else option.run?.();
  }
}

/** Listen for Ctrl K and ⌘ K on every page, and for the button. */
export function palette(): void {
  const dialog = document.querySelector<HTMLDialogElement>("dialog#palette");
  if (!dialog) return;
  const it = new Palette(dialog);
  document.getElementById("palette-button")?.addEventListener("click", () => it.open());
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    it.open();
  });
}
