// The navigation's groups, the navigation on narrow screens, the theme switch, buttons that copy, the address of a page made by a form.

/** Remember the theme for this person, also on other machines. */
async function keep(theme: string): Promise<void> {
  const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>;
  await fetch("/settings/theme/", { method: "POST", headers, body: new URLSearchParams({ theme }) });
}

/** Groups of the navigation stay as this browser's reader left them; that of this page is open. */
function groups(): void {
  document.querySelectorAll<HTMLDetailsElement>("details[data-group]").forEach((group) => {
    const key = `menu:${group.dataset.group ?? ""}`;
    const kept = localStorage.getItem(key);
    if (kept !== null && group.dataset.address === undefined) group.open = kept === "open";
    group.querySelector("summary")?.addEventListener("click", () => localStorage.setItem(key, group.open ? "closed" : "open"));
  });
}

/** Wire the shell's buttons. */
export function menu(): void {
  groups();
  const sidebar = document.getElementById("sidebar-menu");
  document.getElementById("menu-button")?.addEventListener("click", (event) => {
    const open = sidebar?.classList.toggle("show") ?? false;
    (event.currentTarget as HTMLElement).setAttribute("aria-expanded", String(open));
  });
  document.getElementById("theme-button")?.addEventListener("click", () => {
    const root = document.documentElement;
    const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    root.setAttribute("data-bs-theme", next);
    localStorage.setItem("theme", next);
    void keep(next);
    document.dispatchEvent(new Event("theme"));
  });
  // What was shown once is not asked for again by reloading: this is where the page will be found.
  const here = document.querySelector<HTMLElement>("[data-address]")?.dataset.address;
  if (here) history.replaceState(null, "", here);
  document.querySelectorAll<HTMLElement>("[data-copy]").forEach((button) =>
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy ?? "");
      button.textContent = "Copied";
    }),
  );
}
