import type { ConnectParams } from "@openclaw/gateway-protocol";
import { TestClient } from "../helpers/clients.ts";

/** A client that says hello with these params, whether they are right or not; not one that minds the answer. */
export async function sayHello(
  url: string,
  params: Partial<ConnectParams>,
  options: ConstructorParameters<typeof TestClient>[1] = {},
): Promise<TestClient> {
  const client = new TestClient(url, options);
  await client.next(); // the challenge comes unasked
  const hello = {
    minProtocol: 4,
    maxProtocol: 4,
    client: { id: "test", version: "1.0.0", platform: "test", mode: "test" },
    ...params,
  };
  client.socket.send(JSON.stringify({ type: "req", id: "hello", method: "connect", params: hello }));
  return client;
}
