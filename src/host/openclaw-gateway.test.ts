import assert from "node:assert/strict";
import { test } from "node:test";
import { readOpenclawGateway, trustsEdge } from "./openclaw-gateway.ts";

const read = (gateway: object) =>
  readOpenclawGateway({ path: "openclaw.json", text: JSON.stringify({ gateway }) });

test("what is there is read, what is of another type is not", () => {
  const gateway = read({
    mode: "local",
    port: 18790,
    bind: "custom",
    customBindHost: "10.0.0.7",
    tailscale: { mode: "serve" },
    auth: { mode: "token", token: "secret" },
    tls: { enabled: true },
    trustedProxies: ["10.0.0.1", 7],
    controlUi: { allowedOrigins: ["https://claw.example"] },
  });
  assert.deepEqual(gateway, {
    mode: "local",
    port: 18790,
    bind: "custom",
    customBindHost: "10.0.0.7",
    tailscaleMode: "serve",
    authMode: "token",
    hasTls: true,
    trustedProxies: ["10.0.0.1"],
    allowedOrigins: ["https://claw.example"],
    hasIncludes: false,
  });
  const nothing = { hasTls: false, trustedProxies: [], allowedOrigins: [], hasIncludes: false };
  assert.deepEqual(read({ port: "18790", auth: [] }), nothing);
  assert.deepEqual(readOpenclawGateway({ path: "openclaw.json", text: "" }), nothing);
});

test("the edge is trusted where loopback is listed and clients prove themselves", () => {
  for (const range of ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"]) {
    assert.equal(trustsEdge(read({ trustedProxies: [range] })), true, range);
  }
  for (const range of ["10.0.0.1", "127.0.0.1/99", "::1", "localhost", ""]) {
    assert.equal(trustsEdge(read({ trustedProxies: [range] })), false, range);
  }
  for (const mode of ["token", "password"])
    assert.equal(trustsEdge(read({ trustedProxies: ["127.0.0.1"], auth: { mode } })), true, mode);
});

test("it is not where nobody is asked, where a header is enough, or where that cannot be known", () => {
  for (const mode of ["none", "trusted-proxy", "$MODE"])
    assert.equal(trustsEdge(read({ trustedProxies: ["127.0.0.1"], auth: { mode } })), false, mode);
  const gateway = { trustedProxies: ["127.0.0.1"] };
  for (const config of [
    { $include: "./base.json5", gateway },
    { gateway: { ...gateway, $include: "./gateway.json5" } },
    { gateway: { ...gateway, auth: { $include: "./auth.json5" } } },
  ]) {
    const text = JSON.stringify(config);
    assert.equal(trustsEdge(readOpenclawGateway({ path: "openclaw.json", text })), false, text);
  }
  // what stands beside an include counts before what is in it
  const text = JSON.stringify({ $include: "./base.json5", gateway: { ...gateway, auth: { mode: "token" } } });
  assert.equal(trustsEdge(readOpenclawGateway({ path: "openclaw.json", text })), true);
});
