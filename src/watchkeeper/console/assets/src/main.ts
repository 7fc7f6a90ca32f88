// The console's islands. Pages are made on the server; these bring charts, graphs, live updates and local times.

import "@tabler/core/dist/css/tabler.min.css";
import "./console.css";
import htmx from "htmx.org";
import { forms, moments } from "./forms";
import { live } from "./live";
import { menu } from "./menu";
import { shortcuts } from "./shortcuts";
import { times } from "./times";

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
  moments(root);
  // Large libraries are fetched by the pages that need them only.
  if (root.querySelector(".wk-chart")) void import("./chart").then((m) => m.charts(root));
  if (root.querySelector(".wk-graph")) void import("./graph").then((m) => m.graphs(root));
}

document.addEventListener("htmx:load", (event) => enliven((event.target as Element) ?? document));
document.addEventListener("DOMContentLoaded", () => {
  enliven(document);
  menu();
  forms();
  shortcuts();
  live();
});
