export interface ServerEvent {
  readonly event: string;
  readonly data: object;
}

/** Server-sent events of an answer to a POST, which an EventSource cannot make. Ours have one line of data each. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop()!;
      for (const block of blocks) {
        const match = /^event: (.*)\ndata: (.*)$/.exec(block);
        if (match !== null) yield { event: match[1]!, data: JSON.parse(match[2]!) as object };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it has ended by itself
  }
}
