import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hostFixture } from "../../test/helpers/host.ts";
import { parseLaunchd, parseSystemd, parseTasks } from "../host/services.ts";
import type { ServiceFacts } from "../host/types.ts";
import { rivalOf, switchOffCommand } from "./rivals.ts";

const unit = (active: string, file: string, id = "openclaw-gateway.service"): ServiceFacts[] =>
  parseSystemd(`Id=${id}\nLoadState=loaded\nActiveState=${active}\nSubState=x\nUnitFileState=${file}\n`);

const task = (State: string) =>
  parseTasks(JSON.stringify([{ Name: "OpenClaw Gateway", State, Battery: null, Limit: null, Result: null }]));

// Only a service that ran was a rival. One that was enabled and stopped, or between two starts, was let through: both
// were enabled, and fought for the port after the next boot.
describe("a rival of our service is a gateway's unit that", () => {
  const cases: readonly [what: string, services: ServiceFacts[], isRival: boolean][] = [
    ["runs", unit("active", "enabled"), true],
    ["runs, and is switched off", unit("active", "disabled"), true],
    ["is enabled and stopped", unit("inactive", "enabled"), true],
    ["failed", unit("failed", "enabled"), true],
    ["is between two starts", parseSystemd(hostFixture("linux", "systemctl-restarting")), true],
    ["is disabled", unit("inactive", "disabled"), false],
    ["is masked", unit("inactive", "masked"), false],
    ["is ours", unit("active", "enabled", "clawkit.service"), false],
    ["is an agent that launchd has not loaded", [parseLaunchd("ai.openclaw.gateway", "", true)!], true],
    ["is a task that is ready", task("Ready"), true],
    ["is a task that is disabled", task("Disabled"), false],
  ];
  for (const [what, services, isRival] of cases) {
    test(`${what}: ${isRival}`, () => assert.equal(rivalOf(services) !== undefined, isRival));
  }
});

test("how each is switched off is said in its manager's words", () => {
  const [found] = unit("inactive", "enabled");
  assert.equal(switchOffCommand(found!), "sudo systemctl disable --now openclaw-gateway.service");
  assert.match(switchOffCommand({ ...found!, manager: "systemd (user)" }), /^systemctl --user disable --now/);
  assert.match(switchOffCommand(task("Ready")[0]!), /\/TN "OpenClaw Gateway" \/DISABLE$/);
});
