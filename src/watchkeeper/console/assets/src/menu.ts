// The navigation on narrow screens, the theme switch, buttons that copy.

/** Remember the theme for this person, also on other machines. */
async function keep(theme: string): Promise<void> {
  const headers = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>;
  await fetch("/settings/theme/", { method: "POST", headers, body: new URLSearchParams({ theme }) });
}

/** Wire the shell's buttons. */
export function menu(): void {
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
  document.querySelectorAll<HTMLElement>("[data-copy]").forEach((button) =>
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy ?? "");
      button.textContent = "Copied";
    }),
  );
}
