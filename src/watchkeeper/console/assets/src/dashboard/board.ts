// A dashboard: reads what it is from the page, what is chosen from the address, and keeps both and the panels in step.

import { ask, Trouble } from "./ask";
import { address, asked, refreshControl, timeControl, variableControl } from "./controls";
import { el } from "./dom";
import { Shown } from "./panel";
import { moments, type Chosen, type Definition, type Panel, type Span, type Told } from "./types";

/** The page of one dashboard. */
export class Board {
  definition: Definition;
  shown: Shown[] = [];
  readonly grid: HTMLElement;
  private span: Span;
  private chosen: Chosen;
  private refresh: number;
  private timer = 0;
  private readonly seen: IntersectionObserver;
  private readonly controls: HTMLElement;
  private readonly trouble: HTMLElement;

  constructor(readonly root: HTMLElement, readonly told: Told) {
    this.definition = structuredClone(told.definition);
    const find = (name: string): HTMLElement => root.querySelector(`[data-${name}]`) as HTMLElement;
    [this.grid, this.controls, this.trouble] = [find("panels"), find("controls"), find("trouble")];
    const { span, chosen } = asked(location.search);
    this.span = span ?? { last: this.definition.last ?? 3600 };
    this.chosen = chosen;
    this.refresh = this.definition.refresh ?? 30;
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        const one = this.shown.find((s) => s.element === entry.target);
        if (entry.isIntersecting) one?.came();
        else one?.went();
      }
    }, { rootMargin: "200px" });
    this.controls.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Draw it, and look again as often as it says. */
  async start(): Promise<void> {
    this.lay();
    await this.again();
    document.addEventListener("visibilitychange", () => { if (!document.hidden) void this.look(); });
    window.addEventListener("popstate", () => {
      const { span, chosen } = asked(location.search);
      [this.span, this.chosen] = [span ?? { last: this.definition.last ?? 3600 }, chosen];
      void this.again();
    });
  }

  /** Elements for the panels as the definition has them now. */
  lay(): void {
    this.shown.forEach((s) => s.remove());
    this.shown = [];
    this.grid.replaceChildren();
    (this.definition.panels ?? []).forEach((p) => this.add(p));
    if (!this.shown.length) this.grid.append(this.nothing());
  }

  add(panel: Panel): Shown {
    this.grid.querySelector(".empty")?.remove();
    const made = new Shown(panel, this.seen);
    this.shown.push(made);
    this.grid.append(made.element);
    return made;
  }

  private nothing(): HTMLElement {
    return el("div", { class: "empty" }, el("p", { class: "empty-title" }, "There is no panel yet"), el("p", { class: "empty-subtitle text-secondary" }, this.told.editable ? "Press “Change panels”, then “Add a panel”." : "Whoever may change this dashboard can add panels."));
  }

  /** Settle the variables, then ask for all panels. */
  async again(): Promise<void> {
    try {
      await this.settle();
      this.trouble.classList.add("d-none");
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.trouble.textContent = error.message;
      this.trouble.classList.remove("d-none");
    }
    await this.look();
  }

  private async settle(): Promise<void> {
    const variables = this.definition.variables ?? [];
    const controls: HTMLElement[] = [];
    if (variables.length) {
      const { begin, end } = moments(this.span, Date.now());
      const { data } = await ask<{ variables: { name: string; values: string[]; chosen: string[] }[] }>(
        "POST", "/dashboards/choices.json", { begin, end, chosen: this.chosen, variables });
      this.chosen = Object.fromEntries(data.variables.map((v) => [v.name, v.chosen]));
      data.variables.forEach((v, i) => {
        const variable = variables[i];
        if (variable) controls.push(variableControl(variable, v.values, v.chosen, (chosen) => this.choose({ ...this.chosen, [v.name]: chosen }, this.span)));
      });
    }
    controls.push(timeControl(this.span, (span) => this.choose(this.chosen, span)), refreshControl(this.refresh, (seconds) => { this.refresh = seconds; this.wait(); }));
    this.controls.replaceChildren(...controls);
  }

  private choose(chosen: Chosen, span: Span): void {
    [this.chosen, this.span] = [chosen, span];
    history.pushState(null, "", address(span, chosen));
    void this.again();
  }

  /** What panels are asked with now. */
  asking(): Parameters<Shown["load"]>[0] {
    const { begin, end } = moments(this.span, Date.now());
    return {
      begin, end, chosen: this.chosen, variables: this.definition.variables ?? [],
      // Charts that share a crosshair share this too: the first one to say it is enough.
      zoom: (from, to) => { if (to - from >= 2000 && from !== this.span.from) this.choose(this.chosen, { from, to }); },
    };
  }

  /** Ask for all panels; those out of view wait until they are in it. */
  async look(): Promise<void> {
    const asking = this.asking();
    await Promise.all(this.shown.map((s) => s.load(asking)));
    this.wait();
  }

  private wait(): void {
    clearTimeout(this.timer);
    if (this.refresh > 0 && this.span.last !== undefined) {
      this.timer = window.setTimeout(() => { if (!document.hidden) void this.look(); }, this.refresh * 1000);
    }
  }

  /** The address of what is shown, for others. */
  link(): string {
    return new URL(address(this.span, this.chosen), location.href).href;
  }
}

/** Bring the dashboard of this page to life, once however often it is asked. */
export async function dashboard(root: HTMLElement): Promise<void> {
  if (root.dataset.alive) return;
  root.dataset.alive = "yes";
  const told = JSON.parse(document.getElementById("dashboard-told")?.textContent ?? "{}") as Told;
  const board = new Board(root, told);
  document.getElementById("copy-link")?.addEventListener("click", (event) => {
    const button = event.currentTarget as HTMLElement;
    history.replaceState(null, "", board.link());
    void navigator.clipboard?.writeText(board.link()).then(() => { button.textContent = "Copied"; }, () => { button.textContent = "The address has it"; });
  });
  document.getElementById("edit-panels")?.addEventListener("click", () => {
    void import("./editing").then((m) => m.edit(board));
  });
  await board.start();
}
