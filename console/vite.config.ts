import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  base: "/__clawkit__/",
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: here("../dist/console"),
    // the pages' policy has no `data:` but for images, and no inline script
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
