import type { Socket } from "node:net";

/** How long a peer may take to answer our Close frame before we send FIN (a reset would show as 1006). */
export const CLOSE_ANSWER_MS = 2_000;

/** A socket that makes no progress towards its end for this long is given up. */
const LINGER_MS = 30_000;

/** After our FIN is written a peer may go on sending for this long; then it has had its chance. */
const AFTER_FIN_MS = 30_000;

/**
 * Ends a socket without a reset: what was written is sent, then FIN, and what the peer still sends is read and
 * discarded until it ends too. (Closing with unread bytes would send RST, and the peer would report 1006.)
 */
export function endGently(socket: Socket): void {
  if (socket.destroyed) return;
  socket.removeAllListeners("data");
  socket.on("data", discard);
  socket.resume();
  socket.setTimeout(LINGER_MS, () => socket.destroy());
  socket.end(() => {
    const timer = setTimeout(() => socket.destroy(), AFTER_FIN_MS);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
  });
  if (socket.readableEnded) socket.destroySoon();
  else socket.once("end", () => socket.destroySoon());
}

function discard(): void {}
