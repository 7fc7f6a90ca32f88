// People are named by their user names: while somebody types, those who are called so are offered. Without scripts it stays
// a box for a user name.

interface Found { id: string; label: string; }

let asked = 0;

/** The list that all boxes of the page share. */
function offered(): HTMLElement {
  const there = document.getElementById("people");
  if (there) return there;
  const made = document.createElement("datalist");
  made.id = "people";
  document.body.append(made);
  return made;
}

async function offer(words: string): Promise<void> {
  const mine = (asked += 1);
  const answer = await fetch(`/people.json?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok || mine !== asked) return;
  const told = (await answer.json()) as { results: Found[] };
  offered().replaceChildren(...told.results.map((one) => new Option(one.label, one.id)));
}

/** Offer people in boxes for a person, also in those that come later. */
export function people(): void {
  let wait = 0;
  const soon = (event: Event): void => {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.dataset.people === undefined) return;
    window.clearTimeout(wait);
    wait = window.setTimeout(() => void offer(box.value), event.type === "focusin" ? 0 : 200);
  };
  document.addEventListener("focusin", soon);
  document.addEventListener("input", soon);
}
