// What a dashboard consists of (domains/dashboards/definition.py has the same), and what the server answers.

export interface Query { promql?: string; spans?: string; service?: string; legend?: string; }
export interface Threshold { value: number; colour: string; }

export interface Panel {
  title?: string; description?: string; kind?: string;
  x?: number; y?: number; w?: number; h?: number;
  queries?: Query[]; unit?: string; decimals?: number; min?: number; max?: number; stack?: boolean;
  thresholds?: Threshold[]; words?: string; host?: string; service?: string; severity?: string; text?: string;
}

export interface Variable {
  name: string; title?: string; kind?: string; label?: string; series?: string; values?: string[]; default?: string[];
  multiple?: boolean; all?: boolean;
}

export interface Definition { panels?: Panel[]; variables?: Variable[]; last?: number; refresh?: number; }
export interface Told { id: number; name: string; editable: boolean; definition: Definition; }

export interface Line { name: string; labels: Record<string, string>; values: (number | null)[]; }
export interface Numbers { start_ms: number; step_ms: number; lines: Line[]; of: number; }
export interface Row { name?: string; url?: string; severity: string; at: string; item?: string; text: string; value?: number | null; source?: string; }
export interface Answer { kind: string; title: string; numbers?: Numbers; rows?: Row[]; html?: string; }

export type Chosen = Record<string, string[]>;

/** The time that is shown: the last so many seconds, or from one moment to another (Unix ms). */
export interface Span { last?: number; from?: number; to?: number; }

export const ALL = "$all";
export const MEASURED = ["lines", "stat", "gauge", "bars", "table"];
export const KINDS: [string, string][] = [
  ["lines", "Lines over time"], ["stat", "One number"], ["gauge", "Gauge"], ["bars", "Bars"], ["table", "Table"],
  ["logs", "Log lines"], ["alerts", "Alerts that fire"], ["situations", "Open situations"], ["health", "Health of services"],
  ["text", "Text"],
];
export const COLOURS: Record<string, string> = {
  green: "#2fb344", yellow: "#f59f00", orange: "#f76707", red: "#d63939", blue: "#4263eb",
};

/** The moments (Unix ms) that a span is about now. */
export function moments(span: Span, now: number): { begin: number; end: number } {
  if (span.from !== undefined && span.to !== undefined) return { begin: span.from, end: span.to };
  return { begin: now - (span.last ?? 3600) * 1000, end: now };
}

/** The colour of a value by its thresholds; none where it has reached none. */
export function colourOf(value: number | null, thresholds: Threshold[] = []): string | undefined {
  if (value === null) return undefined;
  const reached = thresholds.filter((t) => value >= t.value).sort((a, b) => b.value - a.value)[0];
  return reached && COLOURS[reached.colour];
}
