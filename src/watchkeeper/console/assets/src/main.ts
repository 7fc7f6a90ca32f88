// The console's islands. Pages are made on the server; these bring charts, graphs, live updates and local times.

import "@tabler/core/dist/css/tabler.min.css";
import "tom-select/dist/css/tom-select.css";
import "./console.css";
import "./dashboard.css";
import htmx from "htmx.org";
import { forms, moments } from "./forms";
import { listed, lists, unsaved } from "./lists";
import { live } from "./live";
import { menu } from "./menu";
import { palette } from "./palette";
import { passkeys } from "./passkeys";
import { people } from "./people";
import { push } from "./push";
import { repeated, rows } from "./rows";
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
  repeated(root);
  if (!wide.matches) beside(root, false);
  // Large libraries are fetched by the pages that need them only.
  if (root.querySelector(".wk-chart")) void import("./chart").then((m) => m.charts(root));
  if (root.querySelector(".wk-bars")) void import("./bars").then((m) => m.bars(root));
  if (root.querySelector("[data-follow], [data-wrap]")) void import("./follow").then((m) => m.follows(root));
  if (root.querySelector("select[data-pick]")) void import("./pick").then((m) => m.picks(root));
  if (root.querySelector("[data-metric]")) void import("./metric").then((m) => m.metrics(root));
  const board = root.querySelector<HTMLElement>("[data-dashboard]");
  if (board) void import("./dashboard/board").then((m) => m.dashboard(board));
  if (root.querySelector(".wk-graph")) void import("./graph").then((m) => m.graphs(root));
}

const wide = matchMedia("(min-width: 992px)");

/** On a narrow screen what stands beside the lines would push them off it. */
function beside(root: ParentNode, open: boolean): void {
  root.querySelectorAll<HTMLDetailsElement>("details[data-beside]").forEach((d) => (d.open = open));
}

wide.addEventListener("change", () => beside(document, wide.matches));
document.addEventListener("htmx:load", (event) => enliven((event.target as Element) ?? document));
document.addEventListener("DOMContentLoaded", () => {
  enliven(document);
  menu();
  people();
  forms();
  rows();
  passkeys();
  push(document);
  lists();
  unsaved();
  shortcuts();
  keepFocus();
  palette();
  sayZone();
  live();
});
