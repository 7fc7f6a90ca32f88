// The console's islands. Pages are made on the server; these bring charts, graphs, live updates and local times.

import "@tabler/core/dist/css/tabler.min.css";
import "tom-select/dist/css/tom-select.css";
import "./console.css";
import htmx from "htmx.org";
import { forms, moments } from "./forms";
import { listed, lists, unsaved } from "./lists";
import { live } from "./live";
import { menu } from "./menu";
import { palette } from "./palette";
import { passkeys } from "./passkeys";
import { keepFocus, shortcuts } from "./shortcuts";
import { sayZone, times } from "./times";

declare global {
  interface Window {
    htmx: typeof htmx;
  }
}

window.htmx = htmx;
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0;

/** Bring to life what is new below this element. */
function enliven(root: ParentNode): void {
  times(root);
  listed(root);
  moments(root);
  // Large libraries are fetched by the pages that need them only.
  if (root.querySelector(".wk-chart")) void import("./chart").then((m) => m.charts(root));
  if (root.querySelector("select[data-pick]")) void import("./pick").then((m) => m.picks(root));
  if (root.querySelector(".wk-graph")) void import("./graph").then((m) => m.graphs(root));
}

document.addEventListener("htmx:load", (event) => enliven((event.target as Element) ?? document));
document.addEventListener("DOMContentLoaded", () => {
  enliven(document);
  menu();
  forms();
  passkeys();
  lists();
  unsaved();
  shortcuts();
  keepFocus();
  palette();
  sayZone();
  live();
});
