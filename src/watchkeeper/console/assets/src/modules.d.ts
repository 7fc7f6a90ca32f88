declare module "cytoscape-dagre";
declare module "*.css";
