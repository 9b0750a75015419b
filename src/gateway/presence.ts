/** One client as others see it: the protocol's PresenceEntry. */
export interface PresenceEntry {
  readonly ts: number;
  readonly host?: string;
  readonly ip?: string;
  readonly version?: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
  readonly mode?: string;
  readonly reason?: string;
  readonly text?: string;
  readonly tags?: string[];
  readonly lastInputSeconds?: number;
  readonly instanceId?: string;
  readonly deviceId?: string;
  readonly roles?: string[];
  readonly scopes?: string[];
}

/** Everyone gets the list: with a thousand clients a whole one would be a flood. The newest are in it. */
export const MAX_LISTED = 200;
