// The navigation on narrow screens, the theme switch, buttons that copy.

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
    document.dispatchEvent(new Event("theme"));
  });
  document.querySelectorAll<HTMLElement>("[data-copy]").forEach((button) =>
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy ?? "");
      button.textContent = "Copied";
    }),
  );
}
