// One panel on the page: it asks when it comes into view, draws, and keeps its errors to itself.

import { times } from "../times";
import { ask, Trouble } from "./ask";
import { el } from "./dom";
import { MEASURED, type Answer, type Chosen, type Panel, type Variable } from "./types";
import { drawn, empty } from "./values";

/** What a panel needs of its dashboard. */
export interface Asking { begin: number; end: number; chosen: Chosen; variables: Variable[]; zoom: (from: number, to: number) => void; }

/** A panel's element and what is drawn in it. */
export class Shown {
  readonly element: HTMLElement;
  readonly body = el("div", { class: "wk-panel-body", tabindex: "-1" });
  readonly tools = el("div", { class: "wk-tools ms-auto" });
  private readonly title = el("h2", { class: "card-title text-truncate" });
  private letGo: () => void = () => undefined;
  private turn = 0;
  private due: Asking | undefined;
  private visible = false;

  constructor(public panel: Panel, seen?: IntersectionObserver) {
    const card = el("section", { class: "card grid-stack-item-content" }, el("div", { class: "card-header wk-handle" }, this.title, this.tools), this.body);
    this.element = el("div", { class: "grid-stack-item", "data-panel": true }, card);
    this.place();
    this.body.dataset.state = "waiting";
    if (seen) seen.observe(this.element);
    else this.visible = true;
  }

  /** Stand where the panel says; titles follow what is typed. */
  place(): void {
    const { x = 0, y = 0, w = 6, h = 4 } = this.panel;
    this.element.style.setProperty("--x", String(x + 1));
    this.element.style.setProperty("--y", String(y + 1));
    this.element.style.setProperty("--w", String(w));
    this.element.style.setProperty("--h", String(h));
    for (const [name, value] of Object.entries({ x, y, w, h })) this.element.setAttribute(`gs-${name}`, String(value));
    this.element.style.order = String(y * 12 + x);
    this.named(this.panel.title ?? "");
  }

  private named(title: string): void {
    this.title.textContent = title;
    this.title.title = this.panel.description ?? "";
    this.element.firstElementChild?.setAttribute("aria-label", title || "Panel without a title");
  }

  /** It has come into view: what was asked while it was not is answered now. */
  came(): void {
    this.visible = true;
    if (this.due) void this.load(this.due);
  }

  went(): void {
    this.visible = false;
  }

  /** Ask and draw; when it is not in view, once it is. */
  async load(asking: Asking): Promise<void> {
    this.due = asking;
    if (!this.visible) return;
    this.due = undefined;
    const turn = (this.turn += 1);
    if (MEASURED.includes(this.panel.kind ?? "lines") && !this.panel.queries?.length) {
      this.letGo();
      this.letGo = () => undefined;
      this.body.dataset.state = "empty";
      empty(this.body, "There is no query yet: choose what is measured, or write one.");
      return;
    }
    this.body.setAttribute("aria-busy", "true");
    try {
      const points = Math.max(30, Math.min(400, Math.round(this.body.clientWidth / 3) || 200));
      const { begin, end, chosen, variables } = asking;
      const { data } = await ask<Answer>("POST", "/dashboards/answer.json", { begin, end, chosen, variables, points, panel: this.panel });
      if (turn !== this.turn) return;
      await this.draw(data, asking);
    } catch (error) {
      if (turn !== this.turn) return;
      if (!(error instanceof Trouble)) throw error;
      this.letGo();
      this.letGo = () => undefined;
      empty(this.body, error.message);
      this.body.dataset.state = "failed";
    } finally {
      if (turn === this.turn) this.body.removeAttribute("aria-busy");
    }
  }

  private async draw(answer: Answer, asking: Asking): Promise<void> {
    const { lines } = answer.kind === "lines" ? await import("./lines") : { lines: undefined };
    this.letGo();
    this.letGo = () => undefined;
    this.named(answer.title);
    this.body.tabIndex = lines ? -1 : 0; // what is long is scrolled with the keyboard too; of lines the table is
    if (lines && answer.numbers?.lines.length) {
      this.letGo = lines(this.body, this.panel, answer.numbers, asking.zoom);
      this.body.dataset.state = "drawn";
      return;
    }
    this.body.dataset.state = drawn(this.body, this.panel, answer) ? "drawn" : "empty";
    times(this.body);
  }

  remove(): void {
    this.turn += 1;
    this.letGo();
    this.element.remove();
  }
}
