/**
 * The registry of causes: why a process, or a connection, ended. The labels are those of the field (a report that
 * says `port-conflict` means the same here). `docs/causes.md` lists the same rows; a test compares both ways.
 */
export const causes = {
  // why a gateway, an edge or a supervisor ended
  oom: "out of memory: the kernel's, the container's or V8's own limit",
  "uncaught-exception-crash": "an exception or promise rejection that nobody caught",
  "native-crash": "a crash outside JavaScript: segmentation fault, abort, illegal instruction",
  "killed-by-signal": "a signal from a person or program; who sent it is not recorded by the system",
  "clean-exit": "it exited with code 0 without being asked",
  "config-refused-at-startup": "it refused to start (exit 78): the config, or what it demands",
  "config-invalid": "its config is not valid",
  "port-conflict": "its port is taken by another process",
  "broken-install": "a module or program of it is missing",
  "disk-full": "no space left on the disk",
  "wedged-process": "it lived but did not answer, and was ended for it",
  "start-failed": "the system could not start it",
  "unexplained-exit": "it exited with an error code and left no word why",
  "host-restarted": "the machine was restarted",
  "ended-without-record": "it ended while nobody of ours looked",
  "planned-stop": "its operator asked for it",
  "gateway-unreachable": "a gateway that is not supervised does not answer",
  // why a connection ended
  "client-closed": "the client said goodbye (1000)",
  "client-went-away": "the client said it goes away (1001), as a closed browser tab does",
  "client-closed-with-error": "the client closed with an error code",
  "client-vanished": "the client's connection ended without a Close frame",
  "client-reset": "the client's system reset the connection",
  "client-unreachable": "the client did not answer a ping",
  "client-gave-up": "the client left before it was served",
  "payload-too-large": "a message was larger than its receiver takes (1009)",
  "protocol-violation": "one side broke the WebSocket protocol",
  "pairing-or-auth-rejected": "the gateway rejected who the client is (1008)",
  "gateway-closed": "the gateway closed the connection with a code of its own",
  "gateway-announced-restart": "the gateway said that it restarts (1012)",
  "gateway-ended": "the gateway ended under the connection",
  "gateway-dropped-connection": "the living gateway dropped this one connection",
  "link-state-lost":
    "the next gateway could not go on with the link: its journal is lost, or too much was sent meanwhile",
  "gateway-refused-upgrade": "the gateway answered the upgrade with an HTTP error",
  "planned-restart": "the gateway was restarted or stopped on purpose",
  "hold-ran-out": "the gateway did not come back within the time a client is held",
  "closed-by-operator": "a person closed this connection in the console",
  "refused-by-edge": "the edge refused the client: origin, proxy or limits",
  "edge-ended": "the edge itself ended",
} as const satisfies Record<string, string>;

export type CauseId = keyof typeof causes;

/**
 * How sure we are of a cause. `confirmed`: something recorded it; `likely`: the evidence fits and nothing speaks
 * against it; `possible`: it is one of several.
 */
export type Verdict = "confirmed" | "likely" | "possible";
