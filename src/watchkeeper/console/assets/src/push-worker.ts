// Shows what is pushed to this browser while no page is open, and opens what a click is about.

type Told = { title: string; body: string; url: string };
type Pushed = Event & { data: { json(): Told } | null; waitUntil(done: Promise<unknown>): void };
type Clicked = Event & { notification: Notification; waitUntil(done: Promise<unknown>): void };
type Scope = {
  registration: ServiceWorkerRegistration;
  clients: { openWindow(url: string): Promise<unknown> };
  addEventListener(name: string, hear: (event: never) => void): void;
};

const worker = self as unknown as Scope;

worker.addEventListener("push", (event: Pushed) => {
  const told = event.data?.json();
  if (!told) return;
  const options = { body: told.body, tag: told.url, requireInteraction: true, data: told.url };
  event.waitUntil(worker.registration.showNotification(told.title, options));
});

worker.addEventListener("notificationclick", (event: Clicked) => {
  event.notification.close();
  event.waitUntil(worker.clients.openWindow(event.notification.data as string));
});

export {};
