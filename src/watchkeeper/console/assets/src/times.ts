// <time datetime="…"> in the reader's zone; with data-ago as "3 min ago", kept current.

const exact = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
});
const withZone = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

function ago(then: number): string {
  const seconds = (then - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  const [n, unit] = size < 3570 ? [size / 60, "min"] : size < 85_000 ? [size / 3600, "h"] : [size / 86_400, "d"];
  const span = `${Math.round(n)} ${unit}`;
  return seconds < 0 ? `${span} ago` : `in ${span}`;
}

function show(element: HTMLTimeElement): void {
  const then = Date.parse(element.dateTime);
  if (Number.isNaN(then)) return;
  element.textContent = "ago" in element.dataset ? ago(then) : (("clock" in element.dataset) ? clock : exact).format(then);
  element.title = withZone.format(then);
}

/** Write every time below `root` in local words. */
export function times(root: ParentNode): void {
  root.querySelectorAll<HTMLTimeElement>("time[datetime]").forEach(show);
}

setInterval(() => times(document), 30_000);
