import type { Fact } from "../types.ts";
import { sentence } from "./sentence.ts";
import type { FactStep, Step, StepAnswer } from "./types.ts";

/** What facts say of one question, the weightiest first. */
interface Reading {
  readonly looks: readonly string[];
  /** Facts that are a part of the answer. */
  readonly isOf: (fact: Fact) => boolean;
  /** Without words of its own a fact's detail is the sentence. */
  readonly says: readonly [fact: RegExp, means?: string][];
  /** If none of these is there. */
  readonly otherwise: string;
}

const idIs = (pattern: RegExp) => (fact: Fact) => pattern.test(fact.id);

const PROCESSES: Reading = {
  looks: ["processes"],
  isOf: idIs(
    /^(no-gateway-process|family-lives|gateways-several|gateway-defunct|process-|ours-|files-used-up)/,
  ),
  says: [
    [/^no-gateway-process$/],
    [/^process-stopped$/],
    [/^files-used-up$/],
    [/^process-burning$/],
    [/^gateways-several$/],
  ],
  otherwise: "a gateway process is there",
};

const PORT: Reading = {
  looks: ["port"],
  isOf: idIs(/^(port-|listens-elsewhere)/),
  says: [
    [/^port-foreign$/, "another program holds the port, so no gateway can listen there"],
    [/^port-owner-hidden$/, "a process that this user may not look at holds the port"],
    [/^listens-elsewhere$/],
    [/^port-held-by-client$/, "a client's own connection has the port, so no gateway can listen there"],
    [/^port-(docker|container)$/, "the port leads into a container"],
    [/^port-wsl$/, "WSL listens there for a program inside it"],
    [/^port-family$/, "an OpenClaw gateway listens there"],
    [/^port-ours$/, "ClawKit itself listens there, as it should"],
    [/^port-free$/],
  ],
  otherwise: "it could not be told who listens there",
};

const ANSWER: Reading = {
  looks: ["answer", "ours"],
  isOf: idIs(
    /^(healthz-ok|http-|not-|connect-|starting-up|tls-|plain-there|name-unresolved|upgrade-|other-family-|configured-port-|ours-|loop-degraded|gateway-hung|supervisor-silent)/,
  ),
  says: [
    [/^ours-foreign$/, "ClawKit does not run, and another program has its port"],
    [/^upgrade-unlike-gateway$/, "what answers there is no gateway"],
    [/^(http-silent|gateway-hung)$/, "it is there and does not answer: it hangs"],
    [/^ours-unhealthy$/],
    [/^ours-starting$/, "it is still starting"],
    [/^(not-healthy|not-ready)$/],
    [/^starting-up$/, "it is still starting"],
    [/^connect-refused$/, "nothing takes connections there: no gateway serves"],
    [/^(connect-|tls-|plain-there|not-http|name-unresolved|other-family-|configured-port-)/],
    [/^(supervisor-silent|ours-stopping|ours-stopped)$/],
    [/^loop-degraded$/, "it answers, and its event loop is degraded"],
    [/^healthz-ok$/, "the gateway answers and is well"],
    [/^http-answers$/, "something answers there that does not say it is a gateway"],
  ],
  otherwise: "it could not be told whether anything answers there",
};

const VERSIONS: Reading = {
  looks: ["installs"],
  isOf: idIs(/^(openclaw-version|installs-several|version-known-for-)/),
  says: [
    [/^version-known-for-/],
    [/^installs-several$/],
    [/^openclaw-version$/, "a shell finds one OpenClaw"],
  ],
  otherwise: "a shell finds no OpenClaw here",
};

const ENTRY_POINTS: Reading = {
  looks: ["entry-points"],
  isOf: idIs(/^(service-entry-|node-not-supported)/),
  says: [[/^service-entry-/], [/^node-not-supported$/]],
  otherwise: "what services and the shell start is there, and of one version",
};

const OPENCLAW_LOGS: Reading = {
  looks: ["openclaw-logs"],
  isOf: (fact) => /-said$|^log-(says|ends|large)/.test(fact.id) && !fact.source.startsWith("docker "),
  says: [[/-said$/], [/^log-ends-mid-life$/, "the log ends in the middle of a life"], [/^log-/]],
  otherwise: "no log of OpenClaw has a word of trouble",
};

const CLOCK: Reading = {
  looks: ["clock"],
  isOf: idIs(/^(host-slept|host-has-slept|clock-set)$/),
  says: [[/^host-slept$/], [/^clock-set$/], [/^host-has-slept$/]],
  otherwise: "the gateway's machine did not sleep lately, as far as it tells",
};

const OF_CONTAINERS = /^(container|containers|cli-container|port-container)(-|$)/;

const CONTAINERS: Reading = {
  looks: ["containers"],
  isOf: idIs(OF_CONTAINERS),
  says: [
    [/^container-ended(-itself)?$/],
    [/^container-(paused|unhealthy|check-broken)$/],
    [/^container-(not-published|published-elsewhere|nothing-listens|listens-loopback|told-loopback)$/],
    [/^(containers-several|cli-container-)/],
    [/^container-starting$/],
    [/^port-container$/],
    [/^container-of-gateway$/],
  ],
  otherwise: "no container here is this gateway, or no Docker Engine answers",
};

const CONTAINER_HEALTH: Reading = {
  ...CONTAINERS,
  says: [
    [/^container-(unhealthy|check-broken|starting)$/],
    ...CONTAINERS.says.filter(([fact]) => !/unhealthy/.test(fact.source)),
  ],
};

const CONTAINER_LOG: Reading = {
  ...CONTAINERS,
  isOf: ({ id, source }) => OF_CONTAINERS.test(id) || source.startsWith("docker "),
  says: [[/-said$/], [/^exit-line$/], [/^ended-/], ...CONTAINERS.says],
};

export const factSteps: readonly Step[] = [
  stepOf(/^(ps aux|tasklist|clawkit ps$|clawkit doctor --only processes$)/, PROCESSES),
  stepOf(/^(lsof -i |netstat -ano|clawkit port$)/, PORT),
  stepOf(/^(openclaw|clawkit) gateway status$/, ANSWER),
  stepOf(/^curl(\.exe)? \S+ \S+\/readyz$/, ANSWER),
  stepOf(/^(openclaw --version|which -a openclaw|where openclaw|Get-Command openclaw)/, VERSIONS),
  stepOf(/^clawkit doctor --only entry-points$/, ENTRY_POINTS),
  stepOf(/^clawkit doctor --only openclaw-logs$/, OPENCLAW_LOGS),
  stepOf(/^(clawkit doctor --only clock|pmset -g log .*|journalctl -k .*|powercfg \/lastwake)$/, CLOCK),
  stepOf(/^docker ps -a/, CONTAINERS),
  stepOf(/^docker inspect --format=.*Health/, CONTAINER_HEALTH),
  stepOf(/^docker logs /, CONTAINER_LOG),
];

function stepOf(command: RegExp, reading: Reading): { command: RegExp } & FactStep {
  const ofIt = (facts: readonly Fact[]) => facts.filter((fact) => reading.isOf(fact));
  return {
    kind: "facts",
    command,
    looks: reading.looks,
    tell: (facts) => tell(ofIt(facts), reading),
    isTold: (facts) => ofIt(facts).some(({ id }) => reading.says.some(([fact]) => fact.test(id))),
  };
}

function tell(facts: readonly Fact[], { says, otherwise }: Reading): StepAnswer {
  const found = facts.length === 0 ? ["nothing was found"] : facts.map(({ detail }) => detail);
  for (const [pattern, means] of says) {
    const fact = facts.find(({ id }) => pattern.test(id));
    if (fact !== undefined) return { found, means: sentence(means ?? fact.detail) };
  }
  return { found, means: sentence(otherwise) };
}
