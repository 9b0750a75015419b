import type {
  API_PREFIX,
  ApiFailure,
  CSRF_HEADER,
  JobEvents,
  SessionInfo,
  SignIn,
} from "../../../src/control/contract.ts";
import { eventsOf } from "./event-parser.ts";

// the contract is types only here: these two are checked against it, not copied
export const API: typeof API_PREFIX = "/__clawkit__/api/v1";
const CSRF: typeof CSRF_HEADER = "x-clawkit-csrf";

/** What the server refused, in its own words; `code` is `OFFLINE` if nobody answered. */
export class ApiError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ApiError";
    this.code = code;
  }
}

let csrf = "";
let signedOut: () => void = () => undefined;

/** Told whenever the server no longer knows the session. */
export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

export async function openSession(how?: SignIn): Promise<SessionInfo> {
  const info =
    how === undefined ? await get<SessionInfo>("/session") : await post<SessionInfo>("/session", how);
  csrf = info.csrf;
  return info;
}

export async function closeSession(): Promise<void> {
  await ask("DELETE", "/session");
  csrf = "";
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask("GET", path, signal === undefined ? {} : { signal });
  return (await response.json()) as T;
}

export async function post<T>(path: string, body: object | Blob): Promise<T> {
  const response = await askOnceFree(path, body, () => undefined);
  return (await response.json()) as T;
}

/** Starts something long, tells its progress, and returns its result. */
export async function run<T extends object>(
  path: string,
  body: object,
  onProgress: (text: string) => void,
): Promise<T> {
  const response = await askOnceFree(path, body, onProgress);
  try {
    for await (const { event, data } of eventsOf(response.body!)) {
      if (event === "progress") onProgress((data as JobEvents["progress"]).text);
      else if (event === "result") return data as T;
      else if (event === "failure") {
        const { code, message } = data as JobEvents["failure"];
        throw new ApiError(code, message);
      }
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError("OFFLINE", WENT_AWAY, { cause: error });
  }
  throw new ApiError("OFFLINE", WENT_AWAY);
}

const WENT_AWAY = "The server went away before it had a result. What it was doing may go on: look again.";

/** Looks and repairs are short; one that is not has a reason that somebody should be told. */
const MAX_TRIES = 60;
const TRY_AGAIN_MS = 1_000;

/** One look or repair is made at a time: somebody else's is waited for. */
async function askOnceFree(
  path: string,
  body: object | Blob,
  onProgress: (text: string) => void,
): Promise<Response> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask("POST", path, sending(body));
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== "BUSY" || tries === MAX_TRIES) throw error;
      onProgress("Something else is looked at or changed here: this waits for it …");
      await new Promise((resolve) => setTimeout(resolve, TRY_AGAIN_MS));
    }
  }
}

function sending(body: object | Blob): RequestInit {
  if (body instanceof Blob) return { body, headers: { "Content-Type": "text/plain" } };
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}

async function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...init.headers, ...(method === "GET" ? {} : { [CSRF]: csrf }) };
  let response: Response;
  try {
    response = await fetch(API + path, { ...init, method, headers, cache: "no-store" });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new ApiError("OFFLINE", "Nobody answers: is the gateway, or clawkit console, still there?", {
      cause,
    });
  }
  if (response.ok) return response;
  const failure = (await response.json().catch(() => undefined)) as ApiFailure | undefined;
  const error = new ApiError(
    failure?.error.code ?? "OFFLINE",
    failure?.error.message ?? `The server answered ${response.status}`,
  );
  const isSigningIn = method === "POST" && path === "/session";
  if (response.status === 401 && !isSigningIn) signedOut();
  if (response.status === 403 && method !== "GET" && !isSigningIn) {
    // signing in in another tab gave this one's cookie, too, another csrf
    const refused = csrf;
    await openSession();
    if (csrf !== refused) return await ask(method, path, init);
  }
  throw error;
}
