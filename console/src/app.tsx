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
    onSignedOut(() => setState({ kind: "signed out", why: undefined }));
    const code = codeOfAddress();
    openSession(code === undefined ? undefined : { code }).then(enter, (error: Error) => {
      // a code that was used already, in a tab that is still signed in
      if (code !== undefined)
        openSession().then(enter, () => setState({ kind: "signed out", why: error.message }));
      else setState({ kind: "signed out", why: isOrdinary(error) ? undefined : error.message });
    });
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
