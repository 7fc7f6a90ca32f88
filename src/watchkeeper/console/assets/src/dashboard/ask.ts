// Questions to the server: a few at a time, with the errors it has words for.

const AT_ONCE = 4;

let running = 0;
const waiting: (() => void)[] = [];

async function turn<T>(work: () => Promise<T>): Promise<T> {
  if (running >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  running += 1;
  try {
    return await work();
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

function token(): Record<string, string> {
  return JSON.parse(document.body.getAttribute("hx-headers") ?? "{}") as Record<string, string>;
}

/** What the server says is wrong; with the version it found, where it is about that. */
export class Trouble extends Error {
  constructor(message: string, readonly status: number) { super(message); }
}

async function told(answer: Response): Promise<never> {
  let said = `The server answered ${answer.status}.`;
  if ((answer.headers.get("Content-Type") ?? "").includes("json")) {
    const body = (await answer.json()) as { detail?: string; errors?: Record<string, string[]> };
    const errors = Object.values(body.errors ?? {}).flat();
    said = errors.length ? errors.join(" ") : body.detail ?? said;
  } else if (answer.status === 401 || answer.redirected) {
    said = "You are signed out. Load the page again.";
  }
  throw new Trouble(said, answer.status);
}

/** The JSON of an answer. Throws Trouble. */
export async function ask<T>(method: string, address: string, body?: unknown, more: Record<string, string> = {}): Promise<{ data: T; tag: string }> {
  return turn(async () => {
    let answer: Response;
    try {
      answer = await fetch(address, {
        method,
        headers: { Accept: "application/json", "Content-Type": "application/json", ...token(), ...more },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    } catch {
      throw new Trouble("The server cannot be reached. It is tried again at the next look.", 0);
    }
    if (!answer.ok || !(answer.headers.get("Content-Type") ?? "").includes("json")) return told(answer);
    return { data: (await answer.json()) as T, tag: answer.headers.get("ETag") ?? "" };
  });
}
