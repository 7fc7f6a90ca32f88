// Log lines over time by severity: <div class="wk-bars" data-bars="[[ms, {severity: count}], …]" data-from data-to>.
// A click on a bar, or dragging over some, opens the page for that time.

import { BarChart } from "echarts/charts";
import { BrushComponent, GridComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

echarts.use([BarChart, BrushComponent, GridComponent, TooltipComponent, CanvasRenderer]);

type Bar = [number, Record<string, number>];

const COLOURS: Record<string, string> = {
  unknown: "#9ba9be", trace: "#b8c4d3", debug: "#8a97ab", info: "#4299e1", warn: "#f59f00", error: "#d6336c", fatal: "#9c1c1c",
};

function options(found: Bar[]): echarts.EChartsCoreOption {
  const style = getComputedStyle(document.body);
  const ink = style.getPropertyValue("--tblr-secondary-color") || "#667382";
  const line = style.getPropertyValue("--tblr-border-color") || "#e6e7e9";
  const used = Object.keys(COLOURS).filter((name) => found.some(([, counts]) => counts[name]));
  return {
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 12, top: 12, bottom: 4, containLabel: true },
    tooltip: {
      trigger: "axis",
      confine: true,
      axisPointer: { type: "shadow" },
      backgroundColor: style.getPropertyValue("--tblr-bg-surface") || "#fff",
      borderColor: line,
      textStyle: { color: style.getPropertyValue("--tblr-body-color") || "#1f2937" },
    },
    brush: { xAxisIndex: 0, transformMode: "single", brushStyle: { color: "rgba(66, 99, 235, 0.15)", borderColor: "#4263eb" } },
    xAxis: { type: "time", axisLabel: { color: ink, hideOverlap: true }, axisLine: { lineStyle: { color: line } } },
    yAxis: { type: "value", minInterval: 1, splitNumber: 2, axisLabel: { color: ink }, splitLine: { lineStyle: { color: line } } },
    series: used.map((name) => ({
      type: "bar", name, stack: "all", barCategoryGap: "10%", itemStyle: { color: COLOURS[name] },
      data: found.map(([at, counts]) => [at, counts[name] ?? 0]),
    })),
  };
}

function open(from: number, to: number): void {
  const address = new URL(location.href);
  address.searchParams.delete("before");
  address.searchParams.set("from", String(Math.round(from)));
  address.searchParams.set("to", String(Math.max(Math.round(to), Math.round(from) + 1)));
  location.assign(address);
}

function draw(element: HTMLElement): void {
  if (element.dataset.state) return;
  element.dataset.state = "drawn";
  const found = JSON.parse(element.dataset.bars ?? "[]") as Bar[];
  const step = found.length > 1 ? found[1][0] - found[0][0] : 1000;
  const chart = echarts.init(element, undefined, { renderer: "canvas" });
  const show = (): void => {
    chart.setOption(options(found), true);
    chart.dispatchAction({ type: "takeGlobalCursor", key: "brush", brushOption: { brushType: "lineX", brushMode: "single" } });
  };
  show();
  chart.on("brushEnd", (event) => {
    const range = (event as { areas: { coordRange?: [number, number] }[] }).areas[0]?.coordRange;
    if (range && range[1] - range[0] > step / 2) open(range[0], range[1]);
  });
  chart.getZr().on("click", (event) => {
    const at = chart.convertFromPixel({ xAxisIndex: 0 }, event.offsetX) as unknown as number;
    const bar = found.find(([begin]) => begin - step / 2 <= at && at < begin + step / 2);
    if (bar && step > 1000) open(bar[0], bar[0] + step);
  });
  new ResizeObserver(() => chart.resize()).observe(element);
  document.addEventListener("theme", show);
}

/** Draw the histograms below `root`. */
export function bars(root: ParentNode): void {
  root.querySelectorAll<HTMLElement>(".wk-bars").forEach(draw);
}
