import net from "node:net";
import { getSystemErrorName } from "node:util";
import { ClawkitError } from "../core/errors.ts";

/**
 * A TCP socket that is bound and does not listen. The supervisor keeps it and sends it to each edge, which
 * listens on it: an edge that dies takes no waiting client with it, the kernel queues them for the next one.
 *
 * This file owns the private API behind it, `net._createServerHandle`: handing on a listening `net.Server`
 * instead makes the parent accept too (38 of 200 connections were lost in a trial).
 */
export interface BoundPort {
  readonly address: string;
  readonly handle: BoundHandle;
}

/** What Node's IPC can send: a TCP wrap. */
export interface BoundHandle {
  close(): void;
  getsockname(out: { port?: number }): number;
}

type CreateServerHandle = (
  address: string,
  port: number,
  addressType: 4 | 6,
  fd: undefined,
  flags: number,
) => BoundHandle | number;

/** libuv's UV_TCP_IPV6ONLY: `::` must not claim the IPv4 addresses that another socket binds. */
const IPV6_ONLY = 1;

/** Binds without listening. Throws PORT_IN_USE or BIND_FAILED, with the system's error name. */
export function bindPort(address: string, port: number): BoundPort {
  const { _createServerHandle } = net as unknown as { _createServerHandle: CreateServerHandle };
  const isIpv6 = net.isIPv6(address);
  const handle = _createServerHandle(address, port, isIpv6 ? 6 : 4, undefined, isIpv6 ? IPV6_ONLY : 0);
  if (typeof handle === "number") throw bindError(address, port, handle);
  // libuv reports EADDRINUSE only when the socket is used: ask now
  const status = handle.getsockname({});
  if (status !== 0) {
    handle.close();
    throw bindError(address, port, status);
  }
  return { address, handle };
}

function bindError(address: string, port: number, errno: number): ClawkitError {
  const name = getSystemErrorName(errno);
  const code = name === "EADDRINUSE" ? "PORT_IN_USE" : "BIND_FAILED";
  return new ClawkitError(code, `Cannot bind ${address} port ${port}: ${name}`, { cause: { errno, name } });
}
