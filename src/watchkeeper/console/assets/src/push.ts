// "Add this browser": asks whether it may be pushed to, and sends its answer with the form.

/** What the browser says why it cannot, or "". */
function hindrance(): string {
  if (!window.isSecureContext) return "Browsers take messages only from pages with https, or on localhost.";
  if (!("serviceWorker" in navigator) || !("PushManager" in window)) return "This browser takes no messages.";
  return "";
}

async function subscribed(key: string): Promise<PushSubscription> {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("This browser was told not to show them.");
  await navigator.serviceWorker.register("/push-worker.js");
  const { pushManager } = await navigator.serviceWorker.ready;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

/** What people call this browser. */
function called(): string {
  const agent = navigator.userAgent;
  const name = ["Firefox", "Edg", "Chrome", "Safari"].find((n) => agent.includes(n)) ?? "Browser";
  const system = ["Android", "iPhone", "Windows", "Mac OS", "Linux"].find((n) => agent.includes(n));
  return [name === "Edg" ? "Edge" : name, system].filter(Boolean).join(" on ");
}

/** The form that adds this browser. */
export function push(root: ParentNode): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-push]")) {
    const trouble = form.querySelector<HTMLElement>("[role=alert]");
    const input = (name: string): HTMLInputElement | null => form.querySelector(`[name=${name}]`);
    form.querySelector("button")?.addEventListener("click", () => {
      const told = hindrance();
      if (told && trouble) trouble.textContent = told;
      if (told) return;
      subscribed(form.dataset.push ?? "").then(
        (made) => {
          input("subscription")!.value = JSON.stringify(made.toJSON());
          input("name")!.value = called();
          form.submit();
        },
        (error: Error) => {
          if (trouble) trouble.textContent = error.message;
        },
      );
    });
  }
}
