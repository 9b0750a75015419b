import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SessionInfo } from "../../src/control/contract.ts";

export const SessionContext = createContext<SessionInfo | undefined>(undefined);

/** Of pages below the shell, which is there only for whoever is signed in. */
export function useSession(): SessionInfo {
  return useContext(SessionContext)!;
}
