import assert from "node:assert/strict";
import { test } from "node:test";
import { examinationOf } from "../../../test/helpers/machine.ts";

/** What is known, and the causes that hold, best first. */
const CASES: Record<string, [facts: readonly string[], causes: readonly string[]]> = {
  "docker kill": [
    ["ended-killed-by-signal", "port-free", "connect-refused"],
    ["killed-by-signal confirmed", "not-listening likely"],
  ],
  "docker stop": [
    ["ended-planned-stop", "port-free", "connect-refused"],
    ["planned-stop confirmed", "not-listening likely"],
  ],
  "out of memory, and nothing brings it back": [
    ["ended-oom", "container-ended-itself", "container-no-restart-policy", "port-free", "connect-refused"],
    ["oom confirmed", "docker-no-restart-policy confirmed", "not-listening likely"],
  ],
  "an exit that nobody explains, and nothing brings it back": [
    ["ended-unexplained-exit-likely", "container-ended-itself", "container-no-restart-policy"],
    ["docker-no-restart-policy confirmed", "unexplained-exit likely"],
  ],
  "a config that is not valid, and nothing brings it back": [
    [
      "ended-unexplained-exit-likely",
      "config-invalid-said",
      "container-ended-itself",
      "container-no-restart-policy",
    ],
    ["config-invalid confirmed", "docker-no-restart-policy confirmed", "unexplained-exit likely"],
  ],
  "an end of which the engine has no word": [
    ["ended-planned-stop-likely", "container-ended", "container-no-restart-policy"],
    ["docker-no-restart-policy likely", "planned-stop likely"],
  ],
  unhealthy: [
    ["container-unhealthy", "http-silent"],
    ["docker-unhealthy confirmed", "event-loop-blocked possible"],
  ],
  "a check that cannot run says nothing": [["container-check-broken", "healthz-ok"], []],
  "a port that is not published": [
    ["container-not-published", "connect-refused", "port-free"],
    ["docker-port-not-published confirmed", "not-listening likely"],
  ],
  "a gateway that is published at another port": [
    ["container-published-elsewhere", "connect-refused", "port-free"],
    ["wrong-url-or-port likely", "not-listening likely"],
  ],
  "one that is not published, and somebody else serves": [["container-not-published", "healthz-ok"], []],
  "loopback inside, through Docker's proxy": [
    ["container-listens-loopback", "port-docker", "connect-reset"],
    ["docker-loopback-bind confirmed"],
  ],
  "loopback as it was told": [["container-told-loopback", "connect-reset"], ["docker-loopback-bind likely"]],
  "a gateway that does not listen yet is not bound to loopback": [
    ["container-nothing-listens", "container-starting", "port-docker", "connect-reset"],
    ["gateway-starting likely", "not-listening likely"],
  ],
  "a CLI that is refused beside a gateway that is well": [
    ["healthz-ok", "cli-container-refused"],
    ["docker-cli-wrong-netns confirmed"],
  ],
  "a CLI that is apart and says nothing": [["healthz-ok", "cli-container-apart"], []],
  paused: [
    ["container-paused", "http-silent"],
    ["docker-paused confirmed", "event-loop-blocked possible"],
  ],
};

for (const [name, [facts, expected]] of Object.entries(CASES)) {
  test(name, async () => {
    const { diagnosis } = await examinationOf(...facts);
    const held = diagnosis.causes.filter(({ verdict }) => verdict !== "ruled out");
    assert.deepEqual(
      held.map(({ id, verdict }) => `${id} ${verdict}`),
      expected,
    );
  });
}
