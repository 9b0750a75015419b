import { useState } from "preact/hooks";
import type { SessionInfo } from "../../../src/control/contract.ts";
import { openSession } from "../api/client.ts";
import { CommandBlock } from "../parts/command-block.tsx";
import { Notice } from "../parts/notice.tsx";

interface SignInProps {
  /** Why a way in did not lead in. */
  readonly why: string | undefined;
  readonly onSignedIn: (info: SessionInfo) => void;
}

export function SignIn({ why, onSignedIn }: SignInProps) {
  const [token, setToken] = useState("");
  const [error, setError] = useState<string>();
  const told = error ?? why;
  const [isBusy, setIsBusy] = useState(false);
  const signIn = async () => {
    setIsBusy(true);
    try {
      onSignedIn(await openSession({ token }));
    } catch (thrown) {
      setError((thrown as Error).message);
      setIsBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <img src="/__clawkit__/logo.svg" alt="ClawKit Logo" width="56" height="56" />
      <h1>ClawKit</h1>
      <p class="brand-what">Reliability Toolkit</p>
      <p>
        Type this on the machine where the gateway runs. It opens this page signed in, or prints the address
        that does:
      </p>
      <CommandBlock lines={["clawkit console"]} />
      {told !== undefined && (
        <Notice kind="bad" isLive>
          {told}
        </Notice>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn();
        }}
      >
        <label for="token">Or use the gateway's token (or password), which stands in the config:</label>
        <div class="row">
          <input
            id="token"
            type="password"
            autocomplete="off"
            required
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
          <button type="submit" class="primary" disabled={isBusy}>
            Sign in
          </button>
        </div>
      </form>
      <p class="fine">The token is sent to the gateway's machine only, and is kept nowhere in the browser.</p>
    </main>
  );
}
