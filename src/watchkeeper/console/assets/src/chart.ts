// Time series as lines: <div class="wk-chart" data-source="/…json" data-unit="By" role="img">.
// The source answers { unit, series: [{ name, points: [[ms, value], …] }], marks: [{ from, to, text }] }; of a forecast also
// band: [[ms, low, high], …], which is drawn behind the lines, and limit, a line across.

import { LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { isBinary, isShare, withUnit } from "./units";

echarts.use([LineChart, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

interface Answer {
  unit: string;
  series: { name: string; points: [number, number | null][] }[];
  stack?: boolean;
  marks?: { from: number; to: number; text: string }[];
  band?: [number, number, number][];
  limit?: number;
}

const COLOURS = ["#4263eb", "#f76707", "#2fb344", "#ae3ec9", "#17a2b8", "#d6336c", "#f59f00", "#667382"];

function extent(answer: Answer): [number, number] {
  const values = answer.series.flatMap((s) => s.points.map((p) => p[1])).filter((v): v is number => v !== null);
  values.push(...(answer.band ?? []).flatMap(([, from, to]) => [from, to]));
  if (answer.limit !== undefined) values.push(answer.limit);
  return [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
}

/** Bytes are counted in steps of powers of two, and a share that comes near the whole ends there. */
function bounds(answer: Answer): { min?: number; max?: number; interval?: number } {
  if (answer.stack) return {};
  const [low, high] = extent(answer);
  if (isShare(answer.unit)) return high > 0.8 && high <= 1 ? { max: 1 } : {};
  if (!isBinary(answer.unit) || high <= low) return {};
  const interval = 2 ** Math.ceil(Math.log2((high - low) / 4));
  return { min: Math.floor(low / interval) * interval, max: Math.ceil(high / interval) * interval, interval };
}

/** A band as two lines on top of each other: an unseen one at its lower edge, and its width, filled. */
function band(points: [number, number, number][]): object[] {
  const one = { type: "line", stack: "band", showSymbol: false, silent: true, tooltip: { show: false }, lineStyle: { opacity: 0 } };
  const low = { ...one, name: "from", data: points.map(([at, from]) => [at, from]) };
  const width = { ...one, name: "to", data: points.map(([at, from, to]) => [at, to - from]), areaStyle: { color: COLOURS[1], opacity: 0.18 } };
  return [low, width];
}

/** A line across the chart where something has its limit. */
function across(limit: number, unit: string): object {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    lineStyle: { color: "#d63939", type: "dashed", width: 1.5 },
    label: { position: "insideStartTop", color: "#d63939", formatter: `limit ${withUnit(limit, unit)}` },
    data: [{ yAxis: limit }],
  };
}

function options(answer: Answer): echarts.EChartsCoreOption {
  const style = getComputedStyle(document.body);
  const ink = style.getPropertyValue("--tblr-secondary-color") || "#667382";
  const line = style.getPropertyValue("--tblr-border-color") || "#e6e7e9";
  const many = answer.series.length > 1;
  const wraps = answer.series.length <= 8;  // more names than that are turned over like pages
  const rows = wraps && answer.series.length > 4 ? 2 : 1;
  return {
    color: COLOURS,
    animation: false,
    textStyle: { fontFamily: "inherit" },
    grid: { left: 8, right: 12, top: 12, bottom: many ? 14 + 20 * rows : 8, containLabel: true },
    legend: many ? { data: answer.series.map((s) => s.name), type: wraps ? "plain" : "scroll", bottom: 0, textStyle: { color: ink }, icon: "roundRect", itemHeight: 10, itemWidth: 10 } : undefined,
    tooltip: {
      trigger: "axis",
      confine: true,
      order: "valueDesc",
      backgroundColor: style.getPropertyValue("--tblr-bg-surface") || "#fff",
      borderColor: line,
      textStyle: { color: style.getPropertyValue("--tblr-body-color") || "#1f2937" },
      valueFormatter: (v: unknown) => withUnit(typeof v === "number" ? v : null, answer.unit),
    },
    xAxis: { type: "time", axisLabel: { color: ink, hideOverlap: true }, axisLine: { lineStyle: { color: line } } },
    yAxis: {
      type: "value",
      scale: !isShare(answer.unit),
      ...bounds(answer),
      axisLabel: { color: ink, formatter: (v: number) => withUnit(v, answer.unit) },
      splitLine: { lineStyle: { color: line } },
    },
    series: [...(answer.band ? band(answer.band) : []), ...answer.series.map((s, i) => ({
      type: "line",
      name: s.name,
      data: s.points,
      showSymbol: s.points.length < 3,
      lineStyle: { width: 1.5 },
      itemStyle: { color: COLOURS[i % COLOURS.length] },
      ...(i === 0 && answer.limit !== undefined ? { markLine: across(answer.limit, answer.unit) } : {}),
      ...(answer.stack ? { stack: "all", areaStyle: { opacity: 0.35 } } : {}),
      markArea:
        i === 0 && answer.marks?.length
          ? {
              silent: true,
              itemStyle: { color: "rgba(214, 57, 57, 0.12)" },
              data: answer.marks.map((m) => [{ xAxis: m.from, name: m.text }, { xAxis: m.to }]),
              label: { show: false },
            }
          : undefined,
    }))],
  };
}

async function draw(element: HTMLElement): Promise<void> {
  const source = element.dataset.source;
  if (!source || element.dataset.drawn) return;
  element.dataset.drawn = "yes";
  try {
    const response = await fetch(source, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status}`);
    const answer = (await response.json()) as Answer;
    if (!answer.series.some((s) => s.points.length)) {
      element.textContent = "No values in this time.";
      element.dataset.state = "empty";
      element.classList.add("wk-empty");
      return;
    }
    element.dataset.state = "drawn";
    if (answer.unit === "1" && extent(answer)[1] > 2) answer.unit = "";  // a count, not a share
    const chart = echarts.init(element, undefined, { renderer: "canvas" });
    chart.setOption(options(answer));
    new ResizeObserver(() => chart.resize()).observe(element);
    document.addEventListener("theme", () => chart.setOption(options(answer)));
  } catch (error) {
    element.textContent = `The values could not be read (${(error as Error).message}). Reload the page to try again.`;
    element.dataset.state = "failed";
    element.classList.add("wk-empty");
  }
}

/** Draw the charts below `root`, each when it comes into view. */
export function charts(root: ParentNode): void {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        seen.unobserve(entry.target);
        void draw(entry.target as HTMLElement);
      }
    }
  }, { rootMargin: "200px" });
  root.querySelectorAll<HTMLElement>(".wk-chart").forEach((e) => seen.observe(e));
}
