import { defineConfig } from "vite";

export default defineConfig({
  base: "/static/dist/",
  build: {
    manifest: true,
    outDir: "../static/dist",
    emptyOutDir: true,
    sourcemap: false,
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: ["src/main.ts", "src/theme.ts", "src/push-worker.ts"],
      // a browser knows a service worker by its address, so that one has no hash in its name
      output: {
        entryFileNames: (chunk) => (chunk.name === "push-worker" ? "push-worker.js" : "assets/[name]-[hash].js"),
      },
      // htmx evaluates hx-on and filters, which these pages do not use and their CSP forbids
      checks: { eval: false },
    },
  },
});
