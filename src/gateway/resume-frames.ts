import { Type } from "typebox";
import { Value } from "typebox/value";

export const RESUME_METHODS = ["clawkit.resume.open", "clawkit.resume.attach"];

export type ResumeFrame =
  | { readonly kind: "ack"; readonly n: number; readonly asks: boolean }
  | {
      readonly kind: "open" | "attach";
      readonly id: string;
      readonly params:
        | {
            readonly session: string;
            readonly secret: string;
            readonly received: number;
            readonly attempt: number;
          }
        | undefined;
    };

/** As the library writes them: nothing else has to be parsed for them. */
const BEGINNINGS = ['{"type":"ack"', '{"type":"req","id":"clawkit.resume.'];

const ackFrame = Type.Object({
  type: Type.Literal("ack"),
  n: Type.Integer({ minimum: 0 }),
  ask: Type.Optional(Type.Boolean()),
});

const attachParams = Type.Object({
  session: Type.String({ maxLength: 64 }),
  secret: Type.String({ maxLength: 128 }),
  received: Type.Integer({ minimum: 0 }),
  attempt: Type.Integer({ minimum: 1 }),
});

const requestFrame = Type.Object({
  id: Type.String({ maxLength: 64 }),
  method: Type.Union(RESUME_METHODS.map((name) => Type.Literal(name))),
  params: Type.Unknown(),
});

/** Undefined for all that is the application's. */
export function readResumeFrame(text: string): ResumeFrame | undefined {
  if (!BEGINNINGS.some((beginning) => text.startsWith(beginning))) return undefined;
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (Value.Check(ackFrame, frame)) return { kind: "ack", n: frame.n, asks: frame.ask === true };
  if (!Value.Check(requestFrame, frame)) return undefined;
  const { id, method, params } = frame;
  return {
    kind: method === "clawkit.resume.open" ? "open" : "attach",
    id,
    params: Value.Check(attachParams, params) ? params : undefined,
  };
}
