// Single keys that go to a page, listed on "?". Not while typing, and never with Ctrl, Alt or Meta.

/** Links with data-key are reached by that key; "/" goes to the search box, "?" shows the list. */
export function shortcuts(): void {
  document.addEventListener("keydown", (event) => {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.altKey || event.metaKey || target.isContentEditable) return;
    if (["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName)) return;
    if (event.key === "/") {
      const box = document.querySelector<HTMLInputElement>("input[type=search]");
      if (box) {
        event.preventDefault();
        box.focus();
      }
      return;
    }
    if (event.key === "?") {
      const list = document.getElementById("shortcuts");
      list?.toggleAttribute("open");
      list?.scrollIntoView({ block: "nearest" });
      return;
    }
    document.querySelector<HTMLAnchorElement>(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
  });
}
