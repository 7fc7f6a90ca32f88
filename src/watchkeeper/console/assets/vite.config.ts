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
      input: ["src/main.ts", "src/theme.ts"],
      // htmx evaluates hx-on and filters, which these pages do not use and their CSP forbids
      checks: { eval: false },
    },
  },
});
