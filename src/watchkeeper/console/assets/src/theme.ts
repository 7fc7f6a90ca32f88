// Light or dark before the first paint: what the person chose in their settings, else in this browser, else what the
// system says.

if (!("chosen" in document.documentElement.dataset)) {
  const kept = localStorage.getItem("theme");
  const dark = kept ? kept === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
}
