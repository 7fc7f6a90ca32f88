// Lines over time: a crosshair that all panels share, a time that is chosen by drawing over it, gaps that stay gaps,
// thresholds as bands, and a legend with the last, the greatest and the mean value.

import { LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, ToolboxComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { isBinary, isShare } from "../units";
import { el } from "./dom";
import { COLOURS, type Line, type Numbers, type Panel } from "./types";
import { shown } from "./values";

echarts.use([LineChart, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, ToolboxComponent, TooltipComponent, CanvasRenderer]);

const PALETTE = ["#4263eb", "#f76707", "#2fb344", "#ae3ec9", "#17a2b8", "#d6336c", "#f59f00", "#667382", "#5f3dc4", "#0b7285"];
const GROUP = "dashboard";

function axis(panel: Panel, numbers: Numbers): Record<string, unknown> {
  const unit = panel.unit ?? "";
  const values = numbers.lines.flatMap((l) => l.values).filter((v): v is number => v !== null);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const own = { ...(panel.min === undefined ? {} : { min: panel.min }), ...(panel.max === undefined ? {} : { max: panel.max }) };
  if (panel.stack || !isBinary(unit) || high <= low) return { scale: panel.min === undefined && !isShare(unit), ...own };
  const from = panel.min ?? low;
  const interval = 2 ** Math.ceil(Math.log2((high - from) / 4));
  return { min: Math.floor(from / interval) * interval, max: Math.ceil(high / interval) * interval, interval, ...own };
}

/** From each threshold to the next one, in its colour. */
function bands(panel: Panel): unknown {
  const sorted = [...(panel.thresholds ?? [])].sort((a, b) => a.value - b.value);
  if (!sorted.length) return undefined;
  return {
    silent: true,
    data: sorted.map((t, i) => [
      { yAxis: t.value, itemStyle: { color: COLOURS[t.colour], opacity: 0.08 } },
      { yAxis: sorted[i + 1]?.value ?? Infinity },
    ]),
  };
}

function options(panel: Panel, numbers: Numbers): echarts.EChartsCoreOption {
  const style = getComputedStyle(document.body);
  const ink = style.getPropertyValue("--tblr-secondary-color") || "#667382";
  const line = style.getPropertyValue("--tblr-border-color") || "#e6e7e9";
  const { start_ms: start, step_ms: step } = numbers;
  const steps = numbers.lines[0]?.values.length ?? 1;
  return {
    color: PALETTE,
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 14, top: 10, bottom: 4, containLabel: true },
    toolbox: { show: true, itemSize: 0, feature: { dataZoom: { yAxisIndex: "none" } } },
    tooltip: {
      trigger: "axis", confine: true, order: "valueDesc",
      axisPointer: { type: "line", lineStyle: { color: ink } },
      backgroundColor: style.getPropertyValue("--tblr-bg-surface") || "#fff", borderColor: line,
      textStyle: { color: style.getPropertyValue("--tblr-body-color") || "#1f2937" },
      valueFormatter: (v: unknown) => shown(typeof v === "number" ? v : null, panel),
    },
    xAxis: { type: "time", min: start, max: start + (steps - 1) * step, axisLabel: { color: ink, hideOverlap: true }, axisLine: { lineStyle: { color: line } } },
    yAxis: { type: "value", ...axis(panel, numbers), axisLabel: { color: ink, formatter: (v: number) => shown(v, panel) }, splitLine: { lineStyle: { color: line } } },
    series: numbers.lines.map((l, i) => ({
      type: "line", name: l.name, id: String(i), connectNulls: false, lineStyle: { width: 1.5 },
      data: l.values.map((v, n) => [start + n * step, v]),
      showSymbol: l.values.filter((v) => v !== null).length < 3, symbolSize: 5,
      ...(panel.stack ? { stack: "all", areaStyle: { opacity: 0.35 } } : {}),
      ...(i === 0 ? { markArea: bands(panel) } : {}),
    })),
  };
}

function figures(line: Line): { last: number | null; max: number | null; mean: number | null } {
  const there = line.values.filter((v): v is number => v !== null);
  if (!there.length) return { last: null, max: null, mean: null };
  return {
    last: there[there.length - 1] ?? null,
    max: there.reduce((a, b) => Math.max(a, b), -Infinity),
    mean: there.reduce((a, b) => a + b, 0) / there.length,
  };
}

function legend(panel: Panel, numbers: Numbers, toggle: (name: string, on: boolean) => void): HTMLElement {
  const rows = numbers.lines.map((line, i) => {
    const f = figures(line);
    const button = el("button", {
      type: "button", class: "wk-series", "aria-pressed": "true", title: Object.entries(line.labels).map(([k, v]) => `${k}=${v}`).join("\n"),
      onclick: () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        toggle(line.name, on);
      },
    }, line.name);
    button.style.setProperty("--wk-edge", PALETTE[i % PALETTE.length] ?? "");
    return el("tr", {}, el("th", { scope: "row" }, button), ...[f.last, f.max, f.mean].map((v) => el("td", {}, shown(v, panel))));
  });
  const more = numbers.of > numbers.lines.length ? el("p", { class: "text-secondary small mb-0 px-2" }, `The first ${numbers.lines.length} of ${numbers.of} series. Narrow the query to see the others.`) : null;
  return el("div", { class: "wk-legend", tabindex: "0", role: "region", "aria-label": `Series of ${panel.title ?? "this panel"}` },
    el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Series"), ...["last", "max", "mean"].map((t) => el("th", { scope: "col" }, t)))), el("tbody", {}, ...rows)), more);
}

/** Draw the lines into `body`; `zoom` is told the moments that somebody has drawn over. What it gives lets go of all. */
export function lines(body: HTMLElement, panel: Panel, numbers: Numbers, zoom: (from: number, to: number) => void): () => void {
  const canvas = el("div", { class: "wk-canvas", role: "img", "aria-label": `${panel.title ?? "Values"}, over time; the figures are in the table below it` });
  let chart: echarts.ECharts | undefined;
  const table = legend(panel, numbers, (name, on) => chart?.dispatchAction({ type: on ? "legendSelect" : "legendUnSelect", name }));
  body.replaceChildren(canvas, table);
  chart = echarts.init(canvas, undefined, { renderer: "canvas" });
  const draw = (): void => chart?.setOption({ ...options(panel, numbers), legend: { show: false } }, true);
  draw();
  chart.group = GROUP;
  echarts.connect(GROUP);
  chart.dispatchAction({ type: "takeGlobalCursor", key: "dataZoomSelect", dataZoomSelectActive: true });
  chart.on("datazoom", (event) => {
    const chosen = (event as { batch?: { startValue?: number; endValue?: number }[] }).batch?.[0];
    if (chosen?.startValue !== undefined && chosen.endValue !== undefined) zoom(chosen.startValue, chosen.endValue);
  });
  const sizes = new ResizeObserver(() => chart?.resize());
  sizes.observe(canvas);
  document.addEventListener("theme", draw);
  return () => {
    sizes.disconnect();
    document.removeEventListener("theme", draw);
    chart?.dispose();
  };
}
