import { useCallback, useEffect, useState } from "preact/hooks";
import type { SessionInfo } from "../../src/control/contract.ts";
import { ApiError, onSignedOut, openSession } from "./api/client.ts";
import { watch } from "./api/live.ts";
import { Page } from "./pages/index.tsx";
import { SignIn } from "./pages/sign-in.tsx";
import { SessionContext } from "./session.ts";
import { Shell } from "./shell.tsx";

type State =
  | { readonly kind: "asking" }
  | { readonly kind: "signed out"; readonly why: string | undefined }
  | { readonly kind: "signed in"; readonly info: SessionInfo };

export function App() {
  const [state, setState] = useState<State>({ kind: "asking" });
  const enter = useCallback((info: SessionInfo) => setState({ kind: "signed in", info }), []);

  useEffect(() => {
    onSignedOut(() => setState({ kind: "signed out", why: SESSION_OVER }));
    const signIn = async (code: string | undefined) => {
      try {
        enter(await openSession(code === undefined ? undefined : { code }));
      } catch (error) {
        const why = isOrdinary(error as Error) && code === undefined ? undefined : (error as Error).message;
        // a code that was used already, in a tab that is still signed in
        if (code !== undefined) await openSession().then(enter, () => setState({ kind: "signed out", why }));
        else setState({ kind: "signed out", why });
      }
    };
    void signIn(codeOfAddress());
    // an address with a new code that is typed over this one loads no page
    const windowOnHashchange = () => {
      const code = codeOfAddress();
      if (code !== undefined) void signIn(code);
    };
    window.addEventListener("hashchange", windowOnHashchange);
    return () => window.removeEventListener("hashchange", windowOnHashchange);
  }, [enter]);

  const isSignedIn = state.kind === "signed in";
  useEffect(() => (isSignedIn ? watch() : undefined), [isSignedIn]);

  if (state.kind === "asking") return null;
  if (state.kind === "signed out") return <SignIn why={state.why} onSignedIn={enter} />;
  return (
    <SessionContext.Provider value={state.info}>
      <Shell>
        <Page />
      </Shell>
    </SessionContext.Provider>
  );
}

const SESSION_OVER =
  "The session is over: it lasts 12 hours, and ends with the process that serves the console. Sign in to go on where you were.";

/** The one-time code, which leaves the address (and the history) before anything else happens. */
function codeOfAddress(): string | undefined {
  const code = new URLSearchParams(window.location.hash.slice(1)).get("code");
  if (code === null) return undefined;
  window.history.replaceState(null, "", window.location.pathname + window.location.search);
  return code;
}

function isOrdinary(error: Error): boolean {
  return error instanceof ApiError && error.code === "NOT_SIGNED_IN";
}
