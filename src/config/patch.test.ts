import assert from "node:assert/strict";
import { test } from "node:test";
import { patchText } from "./patch.ts";

const TEXT = `// what I changed
{
  gateway: {
    port: 18789, // as ever
    trustedProxies: ["10.0.0.1"],
  },
  logs: { keep: 3 },
}
`;

test("a patch changes, adds, takes out and replaces lists, and every comment stays", () => {
  const patch = { gateway: { port: 18790, trustedProxies: [], bind: "lan" }, logs: { keep: null } };
  assert.equal(
    patchText(TEXT, patch),
    `// what I changed
{
  gateway: {
    port: 18790, // as ever
    trustedProxies: [],
    bind: "lan",
  },
  logs: { },
}
`,
  );
});

test("a patch of nothing changes nothing", () => {
  assert.equal(patchText(TEXT, {}), TEXT);
});
