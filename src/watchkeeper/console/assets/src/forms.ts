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
