// Live tail: <button data-follow="/api/logs/tail/?…"> puts lines on top of .wk-entries as they arrive, until it is pressed
// again; then they wait. The stream's events carry where it goes on, so a broken connection loses and doubles nothing.

import { times } from "./times";

interface Line {
  id: string; time: string; level: string; host: string; service: string; source: string; body: string;
}

const MOST = 1000;  // lines on the page, and lines that wait

function made(line: Line, query: string): HTMLElement {
  const template = document.getElementById("log-entry") as HTMLTemplateElement;
  const entry = template.content.querySelector("details")!.cloneNode(true) as HTMLElement;
  entry.dataset.place = line.id;
  const at = document.createElement("time");
  at.dateTime = line.time;
  at.dataset.stamp = "";
  entry.querySelector("[data-at]")!.append(at);
  const level = entry.querySelector(".wk-level")!;
  level.textContent = line.level;
  level.className = `wk-level wk-level-${line.level}`;
  entry.querySelector("[data-who]")!.textContent = `${line.host} ${line.service || line.source}`;
  entry.querySelector("[data-body]")!.textContent = line.body.slice(0, 2000);
  entry.setAttribute("hx-get", `/explore/logs/line/?${new URLSearchParams({ place: line.id, q: query })}`);
  entry.setAttribute("hx-trigger", "toggle once");
  entry.setAttribute("hx-target", "find .wk-entry-fields");
  return entry;
}

function follow(button: HTMLButtonElement): void {
  const list = document.querySelector<HTMLElement>(".wk-entries")!;
  const said = document.getElementById("followed")!;
  let source: EventSource | null = null;
  let paused = false;
  let skipped = 0;
  let waiting: Line[] = [];
  const say = (): void => {
    const left = skipped ? `, ${skipped} left out because they came too fast` : "";
    said.textContent = paused ? `Paused: ${waiting.length} new${left}` : `Following${left}`;
    button.textContent = paused ? "Go on" : "Pause";
  };
  const show = (): void => {
    for (const line of waiting) {
      if (list.querySelector(`[data-place="${CSS.escape(line.id)}"]`)) continue;
      const entry = made(line, list.dataset.query ?? "");
      list.prepend(entry);
      window.htmx.process(entry);
      times(entry);
    }
    waiting = [];
    while (list.children.length > MOST) list.lastElementChild!.remove();
    if (list.children.length) document.querySelector("[data-none]")?.remove();
  };
  const begin = (): void => {
    source = new EventSource(button.dataset.follow!);
    source.addEventListener("lines", (event) => {
      if (!button.isConnected) return source?.close();
      const told = JSON.parse((event as MessageEvent<string>).data) as { lines: Line[]; skipped: number };
      waiting.push(...told.lines);
      skipped += told.skipped + Math.max(0, waiting.length - MOST);
      waiting = waiting.slice(-MOST);
      if (!paused) show();
      say();
    });
    source.addEventListener("trouble", (event) => {
      said.textContent = (JSON.parse((event as MessageEvent<string>).data) as { detail: string }).detail;
    });
    source.onerror = () => { said.textContent = "Not connected: trying again"; };
    source.onopen = say;
  };
  button.addEventListener("click", () => {
    if (!source) return begin();
    paused = !paused;
    if (!paused) show();
    say();
  });
  new MutationObserver((_, watch) => {
    if (button.isConnected) return;
    source?.close();
    watch.disconnect();
  }).observe(document.getElementById("lines")!, { childList: true });
}

/** Long lines are shown in one row, or whole; the browser keeps which. */
function wrap(button: HTMLButtonElement): void {
  const show = (on: boolean): void => {
    document.getElementById("lines")!.classList.toggle("wk-wrapped", on);
    button.setAttribute("aria-pressed", String(on));
    button.classList.toggle("active", on);
  };
  show(localStorage.getItem("wrap-logs") === "yes");
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    localStorage.setItem("wrap-logs", on ? "yes" : "no");
    show(on);
  });
}

/** Bring the buttons of a log's result below `root` to life. */
export function follows(root: ParentNode): void {
  root.querySelectorAll<HTMLButtonElement>("[data-follow]").forEach((button) => {
    if (button.dataset.ready) return;
    button.dataset.ready = "yes";
    follow(button);
  });
  root.querySelectorAll<HTMLButtonElement>("[data-wrap]").forEach((button) => {
    if (button.dataset.ready) return;
    button.dataset.ready = "yes";
    wrap(button);
  });
}
