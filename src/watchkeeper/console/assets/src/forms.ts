// Forms: questions before what cannot be undone, times in the reader's zone, and pop-up forms that close again.

import { moment } from "./times";

/** Listen once for all forms, also those that come later. */
export function forms(): void {
  document.addEventListener("submit", (event) => {
    const question = (event.target as HTMLElement).dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
  // A datetime-local input has no zone; the server is told the moment.
  document.addEventListener("formdata", (event) => {
    const form = event.target as HTMLFormElement;
    form.querySelectorAll<HTMLInputElement>("input[type=datetime-local][name]").forEach((input) => {
      if (input.value) event.formData.set(input.name, moment(input.value).toISOString());
    });
  });
  // A known word, such as a tag, is put into a box of words with commas between, or taken out of it.
  document.addEventListener("click", (event) => {
    const button = (event.target as Element).closest<HTMLElement>("[data-word]");
    const box = button && document.querySelector<HTMLInputElement>(`input[data-words="${button.parentElement?.id}"]`);
    if (!button || !box) return;
    const words = box.value.split(",").map((w) => w.trim()).filter(Boolean);
    const word = button.dataset.word ?? "";
    box.value = (words.includes(word) ? words.filter((w) => w !== word) : [...words, word]).join(", ");
  });
  // What the browser refuses to send, or a link leads to, is seen: its section opens.
  document.addEventListener("invalid", (event) => unfold(event.target as Element), true);
  window.addEventListener("hashchange", () => unfold(document.querySelector(location.hash || "main")));
  document.querySelectorAll("main form").forEach((form) => {
    matters(form);
    form.addEventListener("change", () => matters(form));
  });
  const close = (except: Node | null): void =>
    document.querySelectorAll<HTMLDetailsElement>(".wk-actions details[open]").forEach((d) => {
      if (!d.contains(except)) d.open = false;
    });
  document.addEventListener("click", (event) => close(event.target as Node));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelector<HTMLElement>(".wk-actions details[open] > summary")?.focus();
    close(null);
  });
}

/** Open the section that something is in. */
function unfold(within: Element | null): void {
  const section = within?.closest<HTMLDetailsElement>("details.wk-section");
  if (!section) return;
  section.hidden = false;
  section.open = true;
}

/** Show the sections that matter with what is chosen: of a probe of DNS only what is about DNS. */
function matters(form: Element): void {
  form.querySelectorAll<HTMLElement>(".wk-section[data-only]").forEach((section) => {
    const chosen = form.querySelector<HTMLSelectElement>(`[name="${section.dataset.only ?? ""}"]`)?.value ?? "";
    const wrong = section.querySelector(".is-invalid") !== null;
    section.hidden = !wrong && !(section.dataset.values ?? "").split(" ").includes(chosen);
  });
}

/** Fill the boxes for a moment, which the server knows in UTC, in the reader's zone. */
export function moments(root: ParentNode): void {
  root.querySelectorAll<HTMLInputElement>("input[data-moment]").forEach((input) => {
    const at = new Date(input.dataset.moment ?? "");
    if (input.value || Number.isNaN(at.getTime())) return;
    const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
    input.value = local.toISOString().slice(0, 19);
  });
}
