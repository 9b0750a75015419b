import { type Static, Type } from "typebox";

/** An object whose unknown keys are errors: a typo must not silently leave a default in force. */
function section<T extends Parameters<typeof Type.Object>[0]>(properties: T, description: string) {
  return Type.Object(properties, { additionalProperties: false, description });
}

function seconds(description: string, range: { default: number; minimum: number; maximum: number }) {
  return Type.Number({ ...range, description: `${description} (seconds)` });
}

const upstreamTrust = Type.Optional(
  Type.Boolean({
    description:
      "The gateway authenticates its clients itself and reads X-Forwarded-For from the edge. " +
      "Without it remote clients are refused, as the gateway would take them for local ones.",
  }),
);

const upstream = Type.Union(
  [
    section({ type: Type.Literal("builtin") }, "The gateway that comes with ClawKit."),
    section(
      {
        type: Type.Literal("command"),
        command: Type.Array(Type.String(), {
          minItems: 1,
          description: "Program and arguments; its port is in $PORT and replaces {port}.",
        }),
        trustsEdge: upstreamTrust,
      },
      "Any program that serves WebSocket, started and watched by the supervisor.",
    ),
    section(
      {
        type: Type.Literal("openclaw"),
        command: Type.Optional(
          Type.Array(Type.String(), {
            minItems: 1,
            description: "What starts OpenClaw's command line; without it, `openclaw` on the PATH.",
          }),
        ),
        args: Type.Optional(
          Type.Array(Type.String(), { description: "Further arguments of `openclaw gateway run`." }),
        ),
        repairRefusals: Type.Optional(
          Type.Boolean({
            description:
              "After a start that was refused (exit 78), run `openclaw doctor --fix --yes --non-interactive` once " +
              "and try again.",
          }),
        ),
      },
      "The real OpenClaw, started and watched by the supervisor on a free loopback port.",
    ),
    section(
      {
        type: Type.Literal("url"),
        url: Type.String({ pattern: "^wss?://", description: "ws:// or wss:// address." }),
        trustsEdge: upstreamTrust,
      },
      "A gateway that runs elsewhere; it is not supervised.",
    ),
  ],
  { default: { type: "builtin" }, description: "What stands behind the edge." },
);

const auth = section(
  {
    mode: Type.Union([Type.Literal("token"), Type.Literal("password"), Type.Literal("none")], {
      default: "token",
      description: "How clients of the built-in gateway prove themselves.",
    }),
    token: Type.Optional(Type.String({ minLength: 1, description: "Shared token, for mode token." })),
    password: Type.Optional(
      Type.String({ minLength: 1, description: "Shared password, for mode password." }),
    ),
  },
  "Authentication of the built-in gateway. Other gateways do their own.",
);

const gateway = section(
  {
    port: Type.Integer({ default: 18789, minimum: 1, maximum: 65535, description: "TCP port of the edge." }),
    bind: Type.String({
      default: "loopback",
      description:
        '"loopback" (127.0.0.1 and ::1), "lan" (every address) or one IP address. Anything but loopback needs authentication.',
    }),
    upstream,
    auth,
    keepalive: section(
      {
        enabled: Type.Boolean({ default: true, description: "Ping clients (RFC 6455 §5.5.2)." }),
        adaptive: Type.Boolean({
          default: true,
          description:
            "Ping more often, down to every 5 s, in networks that were seen to forget silent connections.",
        }),
        intervalSec: seconds("Silence before a ping, ±10 %", { default: 20, minimum: 1, maximum: 3600 }),
        timeoutSec: seconds("Time for the pong; grows with unread bytes", {
          default: 10,
          minimum: 1,
          maximum: 3600,
        }),
      },
      "Keeps idle connections alive through firewalls and finds clients that vanished.",
    ),
    durability: Type.Union([Type.Literal("process"), Type.Literal("fsync")], {
      default: "process",
      description:
        'What the journal of the built-in gateway survives: "process" the death of the gateway, "fsync" that of the machine too, for a slower answer to each request.',
    }),
    modules: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      maxItems: 16,
      description:
        "Files with methods of your own for the built-in gateway (TypeScript or JavaScript), relative to this file. They run with your rights.",
    }),
    hold: section(
      {
        maxSec: seconds("How long a client waits for a gateway that is away; below the 15 s clients wait", {
          default: 12,
          minimum: 0,
          maximum: 600,
        }),
      },
      "What happens to clients that connect while the gateway is away.",
    ),
    limits: section(
      {
        maxConnections: Type.Integer({
          default: 10_000,
          minimum: 1,
          maximum: 1_000_000,
          description: "Client connections at once; further ones are told 1013.",
        }),
        unfinishedHandshakesPerAddress: Type.Integer({
          default: 64,
          minimum: 1,
          maximum: 100_000,
          description: "Connections of one address that are slow to send their request.",
        }),
        handshakeSec: seconds("Time a client has to send its request head", {
          default: 10,
          minimum: 1,
          maximum: 300,
        }),
      },
      "Protection against floods and slow clients.",
    ),
    allowedOrigins: Type.Array(Type.String(), {
      default: [],
      description:
        "Origins of browser pages that may connect, beside pages served by the gateway on loopback.",
    }),
    trustedProxies: Type.Array(Type.String(), {
      default: [],
      description: "Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed.",
    }),
    tls: Type.Optional(
      section(
        {
          cert: Type.String({ description: "Path of the PEM certificate chain." }),
          key: Type.String({ description: "Path of the PEM private key." }),
        },
        "Serve wss:// and https://.",
      ),
    ),
  },
  "The gateway and the edge in front of it.",
);

const supervisor = section(
  {
    stopGraceSec: seconds("Time between SIGTERM and SIGKILL; 330 for an OpenClaw upstream", {
      default: 10,
      minimum: 0,
      maximum: 600,
    }),
    drainSec: seconds("Time over which clients are told before a planned stop or restart", {
      default: 2,
      minimum: 0,
      maximum: 600,
    }),
    hangRestartSec: seconds("Silence after which a hung gateway is restarted; 330 for an OpenClaw upstream", {
      default: 30,
      minimum: 10,
      maximum: 3600,
    }),
    startTimeoutSec: seconds("Time a gateway has to become ready; 300 for an OpenClaw upstream", {
      default: 60,
      minimum: 1,
      maximum: 3600,
    }),
    heapMb: Type.Optional(
      Type.Integer({
        minimum: 64,
        maximum: 1_000_000,
        description:
          "V8's heap limit of the gateway (MB), set by NODE_OPTIONS. Without it Node chooses by the machine's memory.",
      }),
    ),
    memoryRestart: Type.Boolean({
      default: false,
      description:
        "Restart the gateway gracefully when it is about to run out of memory (90 % of its limit); where there is room for it, the next built-in one is started beside it.",
    }),
  },
  "How the processes are watched.",
);

const recorder = section(
  {
    maxMb: Type.Number({
      default: 256,
      minimum: 1,
      maximum: 100_000,
      description: "Size of recorder.db (MB).",
    }),
    maxDays: Type.Number({
      default: 30,
      minimum: 0.01,
      maximum: 3650,
      description: "Age of what it keeps (days).",
    }),
  },
  "Bounds of the flight recorder.",
);

const alerts = section(
  {
    webhooks: Type.Array(
      section(
        {
          url: Type.String({
            pattern: "^https?://",
            description: "Where the message is sent; treated as a secret.",
          }),
          format: Type.Optional(
            Type.Union([Type.Literal("json"), Type.Literal("slack"), Type.Literal("ntfy")], {
              default: "json",
              description:
                "json: the incident as JSON; slack: Slack and what is compatible; ntfy: an ntfy topic.",
            }),
          ),
        },
        "One receiver.",
      ),
      { default: [], maxItems: 10, description: "Told when an incident begins and when it is over." },
    ),
    heartbeat: section(
      {
        url: Type.Optional(
          Type.String({
            pattern: "^https?://",
            description: "Called every minute (GET), so that an outside monitor notices a dead machine.",
          }),
        ),
      },
      "A sign of life for a monitor elsewhere.",
    ),
  },
  "Who is told when something breaks.",
);

const logs = section(
  {
    maxMb: Type.Number({
      default: 10,
      minimum: 0.1,
      maximum: 10_000,
      description: "Size of one log file (MB).",
    }),
    keep: Type.Integer({ default: 4, minimum: 1, maximum: 100, description: "Older files kept per log." }),
  },
  "Bounds of every log file.",
);

const webConsole = section(
  {
    allowFrom: Type.Array(Type.String(), {
      default: [],
      description:
        "Addresses or CIDR ranges of other machines that may ask for the console, such as a container's bridge; " +
        "they sign in like everybody.",
    }),
    hosts: Type.Array(Type.String(), {
      default: [],
      description:
        "Further names (`name` or `name:port`) that browsers reach it by, beside localhost and 127.0.0.1.",
    }),
  },
  "The web console, which is served to this machine only.",
);

export const configSchema = section(
  { gateway, supervisor, logs, recorder, alerts, console: webConsole },
  "ClawKit's configuration.",
);

export type Config = Static<typeof configSchema>;
