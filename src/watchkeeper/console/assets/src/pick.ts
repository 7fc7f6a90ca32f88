// Choosing among records of any number: a select becomes a combobox that searches while somebody types. Without
// scripts it stays a select with the first of them.

import TomSelect from "tom-select/base";

interface Found { id: string; label: string; hint: string; }

function enhance(select: HTMLSelectElement): void {
  const address = select.dataset.pick ?? "";
  const label = select.labels?.[0]?.textContent?.trim() ?? select.getAttribute("aria-label") ?? "";
  select.querySelector('option[value=""]')?.remove();
  if (!select.multiple && !select.querySelector("option[selected]")) select.value = "";
  const status = document.createElement("span");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  const box = new TomSelect(select, {
    valueField: "id",
    labelField: "label",
    searchField: [],
    sortField: "$order",
    maxOptions: 60,
    loadThrottle: 200,
    preload: "focus",
    closeAfterSelect: !select.multiple,
    hidePlaceholder: true,
    placeholder: select.multiple ? "Type to search" : "Type to search, or choose",
    shouldLoad: () => true,
    score: () => () => 1,
    onItemAdd: () => { if (select.multiple) { box.setTextboxValue(""); box.refreshOptions(false); } },
    load: (words: string, done: (found?: Found[]) => void) => {
      void fetch(`${address}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } })
        .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(answer.statusText))))
        .then((told: { results: Found[]; more: boolean }) => {
          const chosen = new Set(box.items);
          Object.keys(box.options).forEach((key) => { if (!chosen.has(key)) box.removeOption(key, true); });
          done(told.results);
          const count = told.results.length;
          status.textContent = `${told.more ? "More than " : ""}${count} found${told.more ? "; type more to narrow them" : ""}`;
        })
        .catch(() => { status.textContent = "The records could not be read; try again."; done(); });
    },
    render: {
      option: (found: Partial<Found> & { text?: string }, escape: (text: string) => string) =>
        `<div>${escape(found.label ?? found.text ?? "")}${found.hint ? ` <span class="text-secondary small">${escape(found.hint)}</span>` : ""}</div>`,
      item: (found: Partial<Found> & { text?: string }, escape: (text: string) => string) =>
        `<div>${escape(found.label ?? found.text ?? "")}${select.multiple ? ` <button type="button" class="wk-unpick" data-unpick tabindex="-1" aria-label="Take ${escape(found.label ?? "")} away">×</button>` : ""}</div>`,
      no_results: () => '<div class="no-results">Nothing of that name.</div>',
      loading: () => '<div class="no-results">Searching…</div>',
    },
  });
  box.wrapper.after(status);
  select.setAttribute("aria-hidden", "true"); // it only holds the value now
  if (label) {
    select.setAttribute("aria-label", label); // its label belongs to the box now
    box.control_input.removeAttribute("aria-labelledby"); // it would read the asterisk of the label aloud
    box.control_input.setAttribute("aria-label", label);
    box.dropdown_content.removeAttribute("aria-labelledby");
    box.dropdown_content.setAttribute("aria-label", label);
  }
  if (select.required || select.labels?.[0]?.classList.contains("required")) box.control_input.setAttribute("aria-required", "true");
  const described = select.getAttribute("aria-describedby");
  if (described) box.control_input.setAttribute("aria-describedby", described);
  if (select.hasAttribute("aria-invalid")) box.control_input.setAttribute("aria-invalid", "true");
  box.control.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest("[data-unpick]");
    const item = button?.closest<HTMLElement>("[data-value]");
    if (item) box.removeItem(item.dataset.value ?? "");
  });
}

/** Bring the selects below `root` to life. */
export function picks(root: ParentNode): void {
  root.querySelectorAll<HTMLSelectElement>("select[data-pick]:not(.tomselected)").forEach(enhance);
}
