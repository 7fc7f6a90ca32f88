// <time datetime="…"> in the reader's zone, which is the one they chose, else the browser's; with data-ago as
// "3 min ago", kept current, with data-minute with its weekday. Hovering shows the exact time there and in UTC.

const zone = document.documentElement.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
const whole: Intl.DateTimeFormatOptions = {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  hourCycle: "h23", timeZoneName: "short",
};
const exact = new Intl.DateTimeFormat(undefined, { ...whole, timeZone: zone });
const universal = new Intl.DateTimeFormat(undefined, { ...whole, timeZone: "UTC" });
const minute = new Intl.DateTimeFormat(undefined, {
  weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone,
});
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23", timeZone: zone });

const time: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23", timeZone: zone };
const within = new Intl.DateTimeFormat(undefined, time);
const ofDay = new Intl.DateTimeFormat(undefined, { ...time, month: "short", day: "numeric" });
const day = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: zone });

/** To the millisecond, with the day unless it is today. */
function stamp(then: number): string {
  return (day.format(then) === day.format(Date.now()) ? within : ofDay).format(then);
}

function ago(then: number): string {
  const seconds = (then - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  const [n, unit] = size < 3570 ? [size / 60, "min"] : size < 85_000 ? [size / 3600, "h"] : [size / 86_400, "d"];
  const span = `${Math.round(n)} ${unit}`;
  return seconds < 0 ? `${span} ago` : `in ${span}`;
}

function written(dataset: DOMStringMap): Intl.DateTimeFormat {
  return "clock" in dataset ? clock : "minute" in dataset ? minute : exact;
}

function show(element: HTMLTimeElement): void {
  const then = Date.parse(element.dateTime);
  if (Number.isNaN(then)) return;
  const { dataset } = element;
  element.textContent =
    "ago" in dataset ? ago(then) : "stamp" in dataset ? stamp(then) : written(dataset).format(then);
  element.title = `${exact.format(then)}\n${universal.format(then)}`;
}

/** Write every time below `root` in local words. */
export function times(root: ParentNode): void {
  root.querySelectorAll<HTMLTimeElement>("time[datetime]").forEach(show);
}

/** The moment that "2026-11-26T15:04" is in the reader's zone. */
export function moment(local: string): Date {
  const wanted = Date.parse(`${local}Z`);
  const shown = (at: number): number => {
    const parts = Object.fromEntries(exact.formatToParts(at).map((p) => [p.type, p.value]));
    const date = new Intl.DateTimeFormat("en-CA", { dateStyle: "short", timeZone: zone }).format(at);
    return Date.parse(`${date}T${parts.hour}:${parts.minute}:${parts.second}Z`);
  };
  // Twice, because the first guess may lie on the other side of a change of clocks.
  let at = wanted;
  for (let i = 0; i < 2; i++) at += wanted - shown(at);
  return new Date(at);
}

/** Say which zone times are in. */
export function sayZone(): void {
  const place = document.getElementById("zone");
  if (place) place.textContent = zone;
}

setInterval(() => times(document), 30_000);
