// A part of the inventory graph: <div class="wk-graph" data-source="/…json">.
// The source answers { mark, nodes: [{ id, name, kind, state, cause, url }], edges: [{ source, target, kind }] };
// state is "" or the severity of what is wrong there; an arrow points from what suffers to what it needs.

import cytoscape from "cytoscape";
import dagre from "cytoscape-dagre";

cytoscape.use(dagre);

interface Node { id: string; name: string; kind: string; state: string; cause: boolean; url: string }
interface Answer { mark: string; nodes: Node[]; edges: { source: string; target: string; kind: string }[] }

const STATES: Record<string, string> = { critical: "#d63939", error: "#e8590c", warning: "#f59f00", info: "#4299e1" };
const SHAPES: Record<string, cytoscape.Css.NodeShape> = {
  host: "round-rectangle", service: "ellipse", database: "barrel", cache: "barrel", disk: "round-tag",
  filesystem: "round-tag", interface: "round-diamond", endpoint: "round-hexagon",
};

function style(): cytoscape.StylesheetJson {
  // Tabler's own colours are written as oklch(), which Cytoscape does not read.
  const dark = document.documentElement.getAttribute("data-bs-theme") === "dark";
  const ink = dark ? "#e6e7e9" : "#1f2937";
  const line = dark ? "#6c7a91" : "#9aa5b1";
  const paper = dark ? "#242424" : "#ffffff";
  return [
    {
      selector: "node",
      style: {
        label: "data(label)", "text-valign": "bottom", "text-margin-y": 4, "font-size": 11, color: ink,
        "text-background-color": paper, "text-background-opacity": 0.85, "text-background-padding": "1px",
        "text-wrap": "wrap", "text-max-width": "120px", width: 26, height: 26,
        "background-color": (n: cytoscape.NodeSingular) => STATES[n.data("state") as string] ?? "#7b8794",
        shape: (n: cytoscape.NodeSingular) => SHAPES[n.data("kind") as string] ?? "ellipse",
      },
    },
    { selector: "node[?cause]", style: { "border-width": 5, "border-color": "#ae3ec9", width: 36, height: 36, "font-weight": "bold" } },
    {
      selector: "edge",
      style: {
        width: 1.5, "line-color": line, "target-arrow-color": line, "target-arrow-shape": "triangle",
        "curve-style": "bezier", "arrow-scale": 0.8,
        "line-style": (e: cytoscape.EdgeSingular) => (e.data("kind") === "depends_on" ? "solid" : "dashed"),
      },
    },
  ];
}

async function draw(element: HTMLElement): Promise<void> {
  const source = element.dataset.source;
  if (!source || element.dataset.drawn) return;
  element.dataset.drawn = "yes";
  try {
    const response = await fetch(source, { headers: { Accept: "application/json" } });
    if (!response.ok) throw new Error(`${response.status}`);
    const answer = (await response.json()) as Answer;
    if (!answer.nodes.length) {
      element.textContent = element.dataset.empty ?? "Nothing to draw yet.";
      element.dataset.state = "empty";
      element.classList.add("wk-empty");
      return;
    }
    element.dataset.state = "drawn";
    const known = new Set(answer.nodes.map((n) => n.id));
    const many = answer.nodes.length > 150;
    const graph = cytoscape({
      container: element,
      style: style(),
      minZoom: 0.1,
      maxZoom: 3,
      elements: [
        ...answer.nodes.map((n) => ({ data: { ...n, label: n.cause ? `${n.name}\n(${answer.mark})` : n.name } })),
        ...answer.edges.filter((e) => known.has(e.source) && known.has(e.target)).map((e) => ({ data: e })),
      ],
      layout: many
        ? { name: "concentric", animate: false }
        : ({ name: "dagre", rankDir: element.clientWidth < 560 ? "LR" : "TB", nodeSep: 36, rankSep: 60, animate: false, fit: true, padding: 24 } as cytoscape.LayoutOptions),
    });
    const fit = (): void => {
      graph.resize();
      graph.fit(undefined, 24);
      if (graph.zoom() > 1.3) graph.zoom(1.3).center();
    };
    let width = element.clientWidth;
    fit();
    new ResizeObserver(() => {
      if (element.clientWidth === width) return;
      width = element.clientWidth;
      fit();
    }).observe(element);
    graph.on("tap", "node", (event) => {
      const url = event.target.data("url") as string;
      if (url) location.assign(url);
    });
    document.addEventListener("theme", () => graph.style(style()));
  } catch (error) {
    element.textContent = `The graph could not be read (${(error as Error).message}). Reload the page to try again.`;
    element.dataset.state = "failed";
    element.classList.add("wk-empty");
  }
}

/** Draw the graphs below `root`. */
export function graphs(root: ParentNode): void {
  root.querySelectorAll<HTMLElement>(".wk-graph").forEach((e) => void draw(e));
}
