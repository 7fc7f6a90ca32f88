// Passkeys: asks the device to make one, or to prove one, and sends its answer with the form.

type Options = { publicKey: never };

/** What the browser says why it cannot, or "". */
function hindrance(): string {
  if (!window.PublicKeyCredential) return "Passkeys need https, or localhost on this machine.";
  if (/^[\d.]+$|:/.test(location.hostname)) {
    return "Passkeys need a host name: open this page by one, such as localhost on this machine.";
  }
  return "";
}

async function options(form: HTMLFormElement): Promise<Options> {
  const given = form.querySelector("script[type='application/json']");
  if (given) return JSON.parse(given.textContent ?? "{}") as Options;
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error("The server did not answer. Try again in a minute.");
  return ((await answer.json()) as { request_options: Options }).request_options;
}

async function ask(form: HTMLFormElement): Promise<Credential | null> {
  const { publicKey } = await options(form);
  if (form.dataset.passkey === "get") {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
  }
  const wanted = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey);
  if (form.querySelector<HTMLInputElement>("[name=passwordless]")?.checked) {
    wanted.authenticatorSelection = { residentKey: "required", requireResidentKey: true, userVerification: "required" };
  }
  return navigator.credentials.create({ publicKey: wanted });
}

/** Every form of a passkey on this page. */
export function passkeys(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-passkey]")) {
    const button = form.querySelector<HTMLButtonElement>("button[type=button]");
    const trouble = form.querySelector<HTMLElement>("[role=alert]:not(.alert)");
    const input = form.querySelector<HTMLInputElement>("[name=credential]");
    button?.addEventListener("click", () => {
      const told = hindrance();
      if (told && trouble) trouble.textContent = told;
      if (told || !input) return;
      ask(form).then(
        (made) => {
          input.value = JSON.stringify((made as PublicKeyCredential).toJSON());
          form.submit();
        },
        (error: Error) => {
          if (trouble) {
            trouble.textContent =
              error.name === "NotAllowedError" ? "It was cancelled, or took too long." : error.message;
          }
        },
      );
    });
  }
}
