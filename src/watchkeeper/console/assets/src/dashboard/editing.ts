// Changing the panels of a dashboard: moved and resized by hand or by figures, made, doubled, taken away; saved as a whole,
// or not at all.

import "gridstack/dist/gridstack.min.css";
import { GridStack, type GridStackNode } from "gridstack";
import { ask, Trouble } from "./ask";
import type { Board } from "./board";
import { el } from "./dom";
import { panelForm } from "./panel_form";
import { Shown } from "./panel";
import type { Definition, Panel } from "./types";
import { variablesForm } from "./variables_form";

const NARROW = 768; // pixels: below this width, panels stand in one column, and are placed by figures

class Editing {
  private readonly bar: HTMLElement;
  private readonly said = el("div", { class: "alert alert-danger d-none mb-0", role: "alert" });
  private stack: GridStack | undefined;
  private tag = "";
  private changed = false;

  constructor(private readonly board: Board) {
    this.bar = board.root.querySelector("[data-editing]") as HTMLElement;
  }

  /** Remember the version that is changed, and show the tools. */
  async start(): Promise<void> {
    const { data, tag } = await ask<{ definition: Definition }>("GET", this.address());
    this.tag = tag;
    if (JSON.stringify(data.definition) !== JSON.stringify(this.board.definition)) {
      this.board.definition = data.definition;
      this.board.lay();
      void this.board.again();
    }
    this.bar.replaceChildren(
      el("div", { class: "d-flex flex-wrap gap-2" },
        el("button", { type: "button", class: "btn", onclick: () => void this.make() }, "Add a panel"),
        el("button", { type: "button", class: "btn", onclick: () => void this.variables() }, "Variables"),
        el("span", { class: "text-secondary small align-self-center d-none d-md-inline" }, "Drag a panel by its title, resize it at its corner, or press Change to place it by figures."),
        el("button", { type: "button", class: "btn btn-link ms-auto", onclick: () => this.cancel() }, "Cancel"),
        el("button", { type: "button", class: "btn btn-primary", onclick: () => void this.save() }, "Save")),
      this.said);
    this.bar.classList.remove("d-none");
    document.getElementById("edit-panels")?.classList.add("d-none");
    this.board.shown.forEach((s) => this.tools(s));
    this.gather();
    window.addEventListener("beforeunload", this.ask);
    (this.bar.querySelector("button") as HTMLElement).focus();
  }

  private readonly ask = (event: BeforeUnloadEvent): void => {
    if (this.changed) event.preventDefault();
  };

  private address(): string {
    return `/api/dashboards/${this.board.told.id}/`;
  }

  /** Panels can be moved by hand where there is room for it. */
  private gather(): void {
    if (window.innerWidth < NARROW) return;
    this.board.grid.classList.add("grid-stack");
    this.stack = GridStack.init({ column: 12, cellHeight: 80, margin: 6, handle: ".wk-handle", animate: false }, this.board.grid) ?? undefined;
    this.stack?.on("change", (_: Event, nodes: GridStackNode[]) => {
      this.changed = true;
      for (const node of nodes) {
        const one = this.board.shown.find((s) => s.element === node.el);
        if (one) one.panel = { ...one.panel, x: node.x ?? 0, y: node.y ?? 0, w: node.w ?? 6, h: node.h ?? 4 };
      }
    });
  }

  private tools(shown: Shown): void {
    const name = (): string => shown.panel.title || "this panel";
    const button = (label: string, run: () => void): HTMLElement => {
      const made = el("button", { type: "button", class: "btn btn-sm", onclick: run }, label);
      made.setAttribute("aria-label", `${label} ${name()}`);
      return made;
    };
    shown.tools.replaceChildren(
      button("Change", () => void this.change(shown)),
      button("Double", () => this.put({ ...structuredClone(shown.panel), ...this.free(shown.panel) })),
      button("Take away", () => this.remove(shown)));
  }

  private free(panel: Panel): { x: number; y: number } {
    const bottom = Math.max(0, ...this.board.shown.map((s) => (s.panel.y ?? 0) + (s.panel.h ?? 4)));
    return { x: Math.min(panel.x ?? 0, 12 - (panel.w ?? 6)), y: bottom };
  }

  private async make(): Promise<void> {
    const begun = { title: "", kind: "lines", w: 6, h: 4, queries: [{ promql: "" }] };
    const panel = await panelForm({ ...begun, ...this.free(begun) }, this.board, "Add a panel");
    if (panel) this.put(panel).element.scrollIntoView({ block: "nearest" });
  }

  private put(panel: Panel): Shown {
    this.changed = true;
    const shown = this.board.add(panel);
    this.tools(shown);
    this.stack?.makeWidget(shown.element);
    void shown.load(this.board.asking());
    return shown;
  }

  private async change(shown: Shown): Promise<void> {
    const panel = await panelForm(structuredClone(shown.panel), this.board, "Change a panel");
    if (!panel) return;
    this.changed = true;
    shown.panel = panel;
    shown.place();
    const { x, y, w, h } = panel;
    this.stack?.update(shown.element, { x, y, w, h });
    this.tools(shown);
    void shown.load(this.board.asking());
  }

  private remove(shown: Shown): void {
    this.changed = true;
    this.stack?.removeWidget(shown.element, false);
    shown.remove();
    this.board.shown = this.board.shown.filter((s) => s !== shown);
    (this.bar.querySelector("button") as HTMLElement).focus();
  }

  private async variables(): Promise<void> {
    const variables = await variablesForm(structuredClone(this.board.definition.variables ?? []));
    if (!variables) return;
    this.changed = true;
    this.board.definition = { ...this.board.definition, variables };
    await this.board.again();
  }

  private cancel(): void {
    if (this.changed && !window.confirm("What you changed is not saved. Leave it?")) return;
    this.changed = false;
    location.reload();
  }

  /** The whole definition, for the version that was read; what is wrong is said, and nothing is lost. */
  private async save(): Promise<void> {
    const definition = { ...this.board.definition, panels: apart(this.board.shown.map((s) => s.panel)) };
    try {
      await ask("PATCH", this.address(), { definition }, { "If-Match": this.tag });
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.said.textContent = error.status === 412
        ? "Somebody else has changed this dashboard meanwhile. Make a copy of what you have with “Get it as YAML” in another tab, or cancel and begin from theirs."
        : `It is not saved. ${error.message}`;
      this.said.classList.remove("d-none");
      this.said.scrollIntoView({ block: "nearest" });
      return;
    }
    this.changed = false;
    location.reload();
  }
}

/** Panels so that none stands on another: from the top, each goes down until it is free. */
export function apart(panels: Panel[]): Panel[] {
  const placed: Required<Pick<Panel, "x" | "y" | "w" | "h">>[] = [];
  const sorted = [...panels].sort((a, b) => (a.y ?? 0) - (b.y ?? 0) || (a.x ?? 0) - (b.x ?? 0));
  return sorted.map((panel) => {
    const { x = 0, w = 6, h = 4 } = panel;
    let y = panel.y ?? 0;
    const hits = (): boolean => placed.some((p) => x < p.x + p.w && p.x < x + w && y < p.y + p.h && p.y < y + h);
    while (hits()) y += 1;
    placed.push({ x, y, w, h });
    return { ...panel, x, y, w, h };
  });
}

/** Begin to change the panels. */
export async function edit(board: Board): Promise<void> {
  await new Editing(board).start();
}
