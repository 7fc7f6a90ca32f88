// Numbers as people read them: 1.4 GB, 12 %, 3.2 ms.

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const PLAIN = ["", "k", "M", "G", "T"];

function scaled(value: number, step: number, names: string[]): string {
  let i = 0;
  let size = Math.abs(value);
  while (size >= step && i < names.length - 1) {
    size /= step;
    i += 1;
  }
  const digits = size >= 100 || Number.isInteger(size) ? 0 : size >= 10 ? 1 : 2;
  return `${value < 0 ? "-" : ""}${size.toFixed(digits)} ${names[i]}`.trim();
}

function duration(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (size < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  if (size < 120) return `${Number(seconds.toPrecision(3))} s`;
  if (size < 7200) return `${(seconds / 60).toFixed(1)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Whether values are shares of a whole, shown as percentages of it. */
export function isShare(unit: string): boolean {
  return ["1", "ratio"].includes(unit);
}

/** Whether values are counted in KiB, MiB, …, also per second. */
export function isBinary(unit: string): boolean {
  return ["By", "bytes", "By/s", "bytes/s"].includes(unit);
}

/** A value with its unit; `unit` is UCUM as OpenTelemetry uses it (By, s, 1, %, …), or Prometheus's word. */
export function withUnit(value: number | null, unit: string): string {
  if (value === null || !Number.isFinite(value)) return "–";
  const rate = unit.endsWith("/s") ? "/s" : "";
  const base = rate ? unit.slice(0, -2) : unit;
  switch (base) {
    case "By":
    case "bytes":
      return scaled(value, 1024, BINARY) + rate;
    case "1":
    case "ratio":
      return `${Number((value * 100).toFixed(Math.abs(value) < 0.1 ? 1 : 0))} %`;
    case "%":
    case "percent":
      return `${value.toFixed(1)} %`;
    case "s":
    case "seconds":
      return rate ? `${value.toPrecision(3)} s/s` : duration(value);
    case "ms":
      return duration(value / 1000);
    default: {
      const word = base.replace(/[{}]/g, "");
      return `${scaled(value, 1000, PLAIN)}${word ? ` ${word}` : ""}${rate}`;
    }
  }
}
