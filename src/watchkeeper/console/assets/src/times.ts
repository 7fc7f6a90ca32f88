// <time datetime="…"> in the reader's zone; with data-ago as "3 min ago", kept current.

const exact = new Intl.DateTimeFormat(undefined, {
  dateStyle: "medium",
  timeStyle: "medium",
});
const withZone = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
  timeZoneName: "short",
});
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

function ago(then: number): string {
  const seconds = (then - Date.now()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return "just now";
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86400), "day");
}

function show(element: HTMLTimeElement): void {
  const then = Date.parse(element.dateTime);
  if (Number.isNaN(then)) return;
  element.textContent = "ago" in element.dataset ? ago(then) : exact.format(then);
  element.title = withZone.format(then);
}

/** Write every time below `root` in local words. */
export function times(root: ParentNode): void {
  root.querySelectorAll<HTMLTimeElement>("time[datetime]").forEach(show);
}

setInterval(() => times(document), 30_000);
