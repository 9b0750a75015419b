export { ClientSocket, type ClientSocketOptions, GapEvent } from "./client-socket.ts";
export type { State } from "./state.ts";
export type { Challenge, Hello } from "./talk.ts";
