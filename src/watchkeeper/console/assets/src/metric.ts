// A box for a query of one metric: the metric and its labels can be chosen, and the last day of what was chosen is drawn.

import { charts } from "./chart";
import { el } from "./dashboard/dom";
import { chooser } from "./dashboard/queries_form";

const DAY = 86_400;
const ITEM = "$item";

/** As a query outside of dashboards has it: no lengths of time of a panel, and the item's name as it is. */
function alone(promql: string): string {
  return promql.replaceAll("$rate_interval", "5m").replaceAll(`=~"${ITEM}"`, `="${ITEM}"`);
}

function enhance(input: HTMLInputElement | HTMLTextAreaElement): void {
  input.dataset.alive = "yes";
  const place = el("div", {});
  const draw = (): void => {
    const query = input.value.trim();
    if (!query || query.includes(ITEM)) return place.replaceChildren();
    const source = `/explore/metrics/query.json?query=${encodeURIComponent(query)}&last=${DAY}`;
    place.replaceChildren(
      el("div", { class: "form-label mt-2" }, "Its last day"),
      el("div", { class: "wk-chart", "data-source": source, role: "img", "aria-label": "The last day of the metric" }));
    charts(place);
  };
  const known: [string, string][] = input.dataset.metric === ITEM ? [[ITEM, "the name of the item"]] : [];
  const choose = chooser(known, (promql) => { input.value = alone(promql); draw(); }, () => undefined);
  input.closest("[data-field]")?.prepend(el("details", { open: !input.value }, el("summary", { class: "py-1" }, "Choose from what is measured"), choose));
  input.after(place);
  input.addEventListener("change", draw);
  draw();
}

/** Bring the boxes for a metric below `root` to life. */
export function metrics(root: ParentNode): void {
  root.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("[data-metric]:not([data-alive])").forEach(enhance);
}
