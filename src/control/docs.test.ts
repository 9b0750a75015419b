import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { allRoutes } from "./routes/index.ts";

const DOCS = new URL("../../docs/control-api.md", import.meta.url);

it("docs/control-api.md lists the routes, and only those", () => {
  const rows = [...readFileSync(DOCS, "utf8").matchAll(/^\| (GET|POST|DELETE) +\| `(\S+)` +\| (.*?) +\|$/gm)];
  assert.deepEqual(
    rows.map(([, method, path, what]) => `${method} ${path} ${what}`),
    allRoutes.map(({ method, path, what }) => `${method} ${path} ${what}`),
  );
});

it("only signing in is open to whoever is not signed in", () => {
  assert.deepEqual(
    allRoutes.filter(({ isOpen }) => isOpen).map(({ method, path }) => `${method} ${path}`),
    ["POST /session"],
  );
});
