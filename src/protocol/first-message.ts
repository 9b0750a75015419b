import { applyMask, headerLength, OPCODE, payloadLength } from "./frames.ts";

/** A first message beyond this is not the greeting that is looked for. */
const MAX_BYTES = 64 * 1024;

const FIN_TEXT = 0x80 | OPCODE.text;
const CONTROL_BIT = 0x08;

/** Reads a client's first message, beside the relay, if it is one text frame of up to 64 KiB. */
export class FirstMessage {
  #bytes: Buffer = Buffer.alloc(0);

  /** The message's text; "more" while it is not complete; undefined if it is something else. */
  push(chunk: Buffer): { readonly text: string } | "more" | undefined {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (true) {
      const bytes = this.#bytes;
      const header = headerLength(bytes, 0);
      if (header === 0) return "more";
      const end = header + payloadLength(bytes, 0);
      if (end > MAX_BYTES) return undefined;
      const isControl = (bytes[0]! & CONTROL_BIT) !== 0;
      if (!isControl && bytes[0] !== FIN_TEXT) return undefined;
      if (bytes.length < end) return "more";
      if (isControl) {
        this.#bytes = bytes.subarray(end);
        continue;
      }
      const mask = bytes.subarray(header - 4, header);
      return { text: applyMask(bytes.subarray(header, end), mask).toString() };
    }
  }
}
