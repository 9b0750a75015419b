// Loaded into a real gateway (NODE_OPTIONS=--require): goes wrong inside it, in the way that the file FAULT_FILE says
// once it is there.
"use strict";
const { readFileSync, rmSync } = require("node:fs");
const { isMainThread } = require("node:worker_threads");

const WAYS = {
  throw: () => {
    throw new TypeError("Cannot read properties of undefined (reading 'channels')");
  },
  reject: () => void Promise.reject(new TypeError("fetch failed to parse its own settings")),
  spin: () => {
    for (let turns = 0; ; turns++) if (turns < 0) return;
  },
  // once, and in the gateway itself: not in its helpers, which have the same environment
  "spin-60s": () => {
    if (!isMainThread || !process.argv.includes("gateway")) return;
    rmSync(process.env.FAULT_FILE);
    const end = Date.now() + 60_000;
    while (Date.now() < end);
  },
};

setInterval(() => {
  let way;
  try {
    way = readFileSync(process.env.FAULT_FILE, "utf8");
  } catch {
    return; // not yet
  }
  WAYS[way]();
}, 200).unref();
