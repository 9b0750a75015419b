import http from "node:http";

export interface AskOptions {
  readonly method?: string;
  /** A list is sent as it is: names and values alternate. */
  readonly headers?: http.OutgoingHttpHeaders | readonly string[];
  readonly body?: Buffer | string;
}

export interface Answer {
  readonly status: number;
  readonly message: string;
  readonly headers: http.IncomingHttpHeaders;
  /** Names and values as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** One request on a connection of its own. Rejects if the answer is cut short. */
export async function ask(port: number, path: string, options: AskOptions = {}): Promise<Answer> {
  const { request, response } = open(port, path, options);
  request.end(options.body);
  const incoming = await response;
  return { ...answerOf(incoming), body: await bodyOf(incoming) };
}

/** Asks and reads the answer as JSON. */
export async function askJson<T>(port: number, path: string, options: AskOptions = {}): Promise<T> {
  const { body } = await ask(port, path, options);
  return JSON.parse(body.toString()) as T;
}

/** Starts a request: the caller writes its body, and gets the answer once its head is there. */
export function open(
  port: number,
  path: string,
  options: AskOptions = {},
): { request: http.ClientRequest; response: Promise<http.IncomingMessage> } {
  const request = http.request({
    host: "127.0.0.1",
    port,
    path,
    agent: false,
    method: options.method ?? "GET",
    headers: options.headers ?? {},
  });
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once("response", resolve);
    request.once("error", reject);
  });
  response.catch(() => undefined);
  return { request, response };
}

export async function bodyOf(incoming: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function answerOf(incoming: http.IncomingMessage): Omit<Answer, "body"> {
  const { statusCode, statusMessage, headers, rawHeaders } = incoming;
  return { status: statusCode ?? 0, message: statusMessage ?? "", headers, rawHeaders };
}
