import { createHash, randomUUID, timingSafeEqual } from "node:crypto";
import { newSecret } from "../../core/secrets.ts";
import type { Journal } from "../journal/journal.ts";
import type { Role } from "../scopes.ts";

/** The real gateway's: who is not approved by then asks again. */
const PENDING_MS = 5 * 60_000;

/** Only who knows the gateway's secret can ask: more than that are not looked at by a person. The oldest goes. */
const MAX_PENDING = 100;

/** The real gateway's: one that was approved since may still be on its way in. */
const SUPERSEDED_AFTER_MS = 60_000;

/** What of a device its client says. */
export interface DeviceClient {
  readonly displayName?: string;
  readonly platform?: string;
  readonly deviceFamily?: string;
  readonly clientId?: string;
  readonly clientMode?: string;
}

/** The published event `device.pair.requested`. */
export interface PairingRequest extends DeviceClient {
  readonly requestId: string;
  readonly deviceId: string;
  readonly publicKey: string;
  readonly role: Role;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly remoteIp: string;
  readonly isRepair: boolean;
  /** Wall-clock milliseconds. */
  readonly ts: number;
}

/** What a device may do in a role. Times are wall-clock milliseconds. */
export interface Grant {
  readonly scopes: readonly string[];
  readonly approvedAtMs: number;
  readonly token?: {
    /** SHA-256: the token itself is nowhere but with its device. */
    readonly digest: string;
    readonly scopes: readonly string[];
    readonly createdAtMs: number;
    readonly rotatedAtMs?: number;
    readonly lastUsedAtMs?: number;
  };
  readonly revokedAtMs?: number;
}

export interface Device extends DeviceClient {
  readonly deviceId: string;
  readonly publicKey: string;
  readonly remoteIp: string;
  readonly label?: string;
  /** `silent`: nobody was asked, as it was on this machine and knew the secret. */
  readonly approvedVia: "owner" | "silent";
  readonly createdAtMs: number;
  readonly approvedAtMs: number;
  readonly lastSeenAtMs?: number;
  readonly grants: Readonly<Partial<Record<Role, Grant>>>;
}

/** The devices that may come in, and those that ask to; in the journal, where all is read and written within a commit. */
export class Devices {
  readonly #journal: Journal;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  get(id: string): Device | undefined {
    const row = this.#journal.get("SELECT state FROM devices WHERE id = ?", id);
    return row === undefined ? undefined : (JSON.parse(row.state as string) as Device);
  }

  list(): Device[] {
    return this.#journal
      .all("SELECT state FROM devices ORDER BY id")
      .map(({ state }) => JSON.parse(state as string) as Device);
  }

  put(device: Device): void {
    this.#journal.run(
      "INSERT INTO devices VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state",
      device.deviceId,
      JSON.stringify(device),
    );
  }

  remove(id: string): void {
    this.#journal.run("DELETE FROM devices WHERE id = ?", id);
    this.#journal.run("DELETE FROM pairing_requests WHERE device = ?", id);
  }

  setGrant(device: Device, role: Role, grant: Grant): Device {
    const changed = { ...device, grants: { ...device.grants, [role]: grant } };
    this.put(changed);
    return changed;
  }

  pending(now: number): PairingRequest[] {
    this.#journal.run("DELETE FROM pairing_requests WHERE at <= ?", now - PENDING_MS);
    return this.#journal
      .all("SELECT request FROM pairing_requests ORDER BY at, id")
      .map(({ request }) => JSON.parse(request as string) as PairingRequest);
  }

  /** What is asked for already stays one request, as long as it is the same. */
  ask(wanted: Omit<PairingRequest, "requestId">): {
    readonly request: PairingRequest;
    readonly isNew: boolean;
  } {
    const all = this.pending(wanted.ts);
    const known = all.find(({ deviceId, role }) => deviceId === wanted.deviceId && role === wanted.role);
    if (known !== undefined && known.scopes.join() === wanted.scopes.join())
      return { request: known, isNew: false };
    if (known !== undefined) this.settle(known);
    else if (all.length >= MAX_PENDING) this.settle(all[0]!);
    const request = { ...wanted, requestId: randomUUID() };
    this.#journal.run(
      "INSERT INTO pairing_requests VALUES (?, ?, ?, ?, ?)",
      request.requestId,
      request.deviceId,
      request.role,
      request.ts,
      JSON.stringify(request),
    );
    return { request, isNew: true };
  }

  /** Approved, or rejected, or of no use any more. */
  settle({ requestId }: PairingRequest): void {
    this.#journal.run("DELETE FROM pairing_requests WHERE id = ?", requestId);
  }

  /** The device may do what it asked for, and what it could before. */
  approve(
    request: Omit<PairingRequest, "requestId">,
    { now, via }: { readonly now: number; readonly via: Device["approvedVia"] },
  ): Device {
    const { deviceId, publicKey, role, scopes, remoteIp } = request;
    const known = this.get(deviceId);
    const before = grantOf(known, role);
    const all = [...new Set([...(before?.scopes ?? []), ...scopes])];
    const grant: Grant = {
      scopes: all,
      approvedAtMs: now,
      // a token that was given less keeps what it was not approved for now from it
      ...(before?.token && {
        token: { ...before.token, scopes: [...new Set([...before.token.scopes, ...scopes])] },
      }),
    };
    const device: Device = {
      ...clientOf(request),
      deviceId,
      publicKey,
      remoteIp,
      ...(known?.label && { label: known.label }),
      approvedVia: known?.approvedVia === "owner" ? "owner" : via,
      createdAtMs: known?.createdAtMs ?? now,
      approvedAtMs: now,
      grants: { ...known?.grants, [role]: grant },
    };
    this.put(device);
    return device;
  }

  /**
   * Forgets those of which this one takes the place: a client without a home of its own (a container's) is another device each time,
   * and there would be no end of them. None that is here, or that a person approved. Returns their ids.
   */
  supersede(device: Device, { now, isHere }: { now: number; isHere: (id: string) => boolean }): string[] {
    const superseded = this.list().filter(
      (one) =>
        one.deviceId !== device.deviceId &&
        one.approvedVia === "silent" &&
        one.approvedAtMs + SUPERSEDED_AFTER_MS <= now &&
        one.clientId === device.clientId &&
        one.clientMode === device.clientMode &&
        one.displayName === device.displayName &&
        !isHere(one.deviceId),
    );
    for (const { deviceId } of superseded) this.remove(deviceId);
    return superseded.map(({ deviceId }) => deviceId);
  }

  /** A new token takes the place of the one before. Nobody can be told it again. */
  issueToken(
    device: Device,
    role: Role,
    { scopes, now }: { scopes: readonly string[]; now: number },
  ): string {
    const grant = device.grants[role]!;
    const token = newSecret();
    this.setGrant(device, role, {
      ...grant,
      token: {
        digest: digestOf(token),
        scopes,
        createdAtMs: grant.token?.createdAtMs ?? now,
        ...(grant.token === undefined ? {} : { rotatedAtMs: now }),
      },
    });
    return token;
  }
}

export function clientOf(from: DeviceClient): DeviceClient {
  const { displayName, platform, deviceFamily, clientId, clientMode } = from;
  return {
    ...(displayName === undefined ? {} : { displayName }),
    ...(platform === undefined ? {} : { platform }),
    ...(deviceFamily === undefined ? {} : { deviceFamily }),
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientMode === undefined ? {} : { clientMode }),
  };
}

/** What the device may do in this role, unless that was revoked. */
export function grantOf(device: Device | undefined, role: Role): Grant | undefined {
  const grant = device?.grants[role];
  return grant?.revokedAtMs === undefined ? grant : undefined;
}

/** In constant time, also where there is no token. */
export function isToken(given: string, grant: Grant | undefined): boolean {
  const expected = grant?.token?.digest ?? digestOf("");
  const isSame = timingSafeEqual(Buffer.from(digestOf(given)), Buffer.from(expected));
  return isSame && grant?.token !== undefined;
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
