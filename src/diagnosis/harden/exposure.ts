import { isLoopbackBind } from "../../config/resolve.ts";
import type { Advice, Own } from "./types.ts";

/** An address that others can reach, without TLS. */
export async function bindAdvice({ config, machine, set }: Own): Promise<Advice> {
  const { bind, tls, trustedProxies } = config.gateway;
  const base = {
    id: "bind",
    title: "It listens where it is needed, and no further",
    reason: "an address beyond loopback can be reached by others, and without TLS be read along",
    current: bind,
  };
  if (isLoopbackBind(bind) || tls !== undefined) return { ...base, state: "ok" };
  const why = (await machine.isContainer())
    ? "in a container a published port needs it: publish it on 127.0.0.1 only, as in -p 127.0.0.1:18789:18789"
    : trustedProxies.some((range) => !isLoopbackBind(range))
      ? "gateway.trustedProxies names a proxy elsewhere: let nobody else reach the port, in the firewall"
      : undefined;
  if (why !== undefined) return { ...base, state: "yours", command: why };
  return {
    ...base,
    state: "change",
    plan: set({ "gateway.bind": '"loopback"' }, { risk: "disruptive" }),
    afterwards: "clients of other machines then come by ssh -L, or tailscale serve",
  };
}

/** A certificate is not made by a program. */
export function tlsAdvice({ config }: Own): Advice {
  const { bind, tls } = config.gateway;
  return {
    id: "tls",
    title: "Nobody on the way reads along",
    reason: "without TLS, tokens cross the network readable",
    current: tls !== undefined ? "TLS" : isLoopbackBind(bind) ? "not needed on loopback" : "off",
    state: isLoopbackBind(bind) || tls !== undefined ? "ok" : "yours",
    command: 'clawkit config set gateway.tls \'{ cert: "/path/cert.pem", key: "/path/key.pem" }\'',
  };
}
