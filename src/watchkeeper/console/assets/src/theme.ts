// Light or dark before the first paint: what the person chose, else what the system says.

const chosen = localStorage.getItem("theme");
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.setAttribute("data-bs-theme", dark ? "dark" : "light");
