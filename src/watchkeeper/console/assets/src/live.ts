// Server-sent events: when situations or alerts change, elements that ask for it fetch themselves anew.
// <div hx-get="…" hx-trigger="live:situations from:body">; [data-live-count] shows the number of open situations.

/** Listen for changes as long as the page is open; the browser reconnects on its own. */
export function live(): void {
  const address = document.body.dataset.live;
  if (!address) return;
  const source = new EventSource(address);
  const lamp = document.getElementById("live-lamp");
  const say = (connected: boolean): void => {
    lamp?.classList.toggle("status-green", connected);
    lamp?.classList.toggle("status-yellow", !connected);
    const said = connected ? "Live: changes appear at once" : "Not connected: trying again";
    if (!lamp || lamp.title === said) return;
    lamp.title = said;
    const spoken = lamp.querySelector(".visually-hidden");
    if (spoken) spoken.textContent = said;
  };
  source.onopen = () => say(true);
  source.onerror = () => say(false);
  source.addEventListener("situations", (event) => {
    const told = JSON.parse((event as MessageEvent<string>).data) as { open: number };
    document.querySelectorAll("[data-live-count]").forEach((e) => {
      e.textContent = String(told.open);
      e.classList.toggle("d-none", told.open === 0);
    });
    window.htmx.trigger(document.body, "live:situations");
  });
}
