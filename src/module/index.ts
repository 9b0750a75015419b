/**
 * What a module of the built-in gateway looks like (`gateway.modules`): its default export is a `Methods`. Types only; a module
 * imports nothing of ClawKit when it runs.
 */
export type Methods = Readonly<Record<string, Method>>;

export interface Method {
  /** What a client must have been granted; `node`: the method is for nodes alone. */
  readonly scope: Scope;
  /**
   * Whether it changes anything that outlives it: a file, a device, another service. If the gateway ends while it runs, the client
   * is told that its outcome is not known. With `false` it is run again, and the client gets that answer.
   */
  readonly external: boolean;
  /** JSON Schema of its parameters, an object (a TypeBox schema is one). What does not fit is refused before `run`. */
  readonly params: object;
  /** Milliseconds until the client is told that it takes too long: 30,000 if absent, 600,000 at most. */
  readonly timeoutMs?: number;
  /** Returns, or promises, what JSON can say: the client's answer. What it throws is logged; the client is told that it failed. */
  run(params: object, call: Call): unknown;
}

export type Scope = "operator.read" | "operator.write" | "operator.admin" | "operator.pairing" | "node";

/** One call of a method. */
export interface Call {
  readonly caller: Caller;
  /** Aborted when its time is over. What goes on after that is in nobody's interest. */
  readonly signal: AbortSignal;
  /** Makes an error whose text the client is shown: `throw refuse("there is no note 7")`. */
  readonly refuse: (why: string) => Error;
}

/** Who asks. */
export interface Caller {
  readonly role: "operator" | "node";
  readonly scopes: readonly string[];
  /** What the client calls itself. */
  readonly client: string;
  /** Of a client that proved an identity. */
  readonly deviceId?: string;
}
