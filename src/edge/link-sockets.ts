import type { Socket } from "node:net";

// The listeners of a link's two sockets are functions that all links share, and find their link by its socket: thousands of links are held
// for hours, and would each hold ten closures.

/** What a link is told of its two sockets. */
export interface SocketsOwner {
  fromClient(chunk: Buffer): void;
  clientDrained(): void;
  /** FIN or the end of the socket. */
  clientGone(): void;
  clientFailed(error: Error): void;
  fromGateway(chunk: Buffer): void;
  gatewayDrained(): void;
  /** EOF or the end of the socket. */
  gatewayGone(): void;
}

const kOwner = Symbol("owner");

interface OwnedSocket extends Socket {
  [kOwner]?: SocketsOwner;
}

export function listenToClient(socket: Socket, owner: SocketsOwner): void {
  (socket as OwnedSocket)[kOwner] = owner;
  socket.on("data", clientOnData);
  socket.on("drain", clientOnDrain);
  socket.on("end", clientOnEnd);
  socket.on("close", clientOnEnd);
  socket.on("error", clientOnError);
}

export function listenToGateway(socket: Socket, owner: SocketsOwner): void {
  (socket as OwnedSocket)[kOwner] = owner;
  socket.on("data", gatewayOnData);
  socket.on("drain", gatewayOnDrain);
  socket.on("end", gatewayOnEnd);
  socket.on("close", gatewayOnEnd);
  socket.on("error", ignoreError); // 'close' follows and is what matters
}

/** What still happens to a gateway's socket is nothing to its link any more. */
export function letGo(socket: Socket): void {
  delete (socket as OwnedSocket)[kOwner];
}

function clientOnData(this: OwnedSocket, chunk: Buffer): void {
  this[kOwner]!.fromClient(chunk);
}

function clientOnDrain(this: OwnedSocket): void {
  this[kOwner]!.clientDrained();
}

function clientOnEnd(this: OwnedSocket): void {
  this[kOwner]!.clientGone();
}

/** 'close' follows and is what matters; the error says how the network ended it. */
function clientOnError(this: OwnedSocket, error: Error): void {
  this[kOwner]!.clientFailed(error);
}

function gatewayOnData(this: OwnedSocket, chunk: Buffer): void {
  this[kOwner]?.fromGateway(chunk);
}

function gatewayOnDrain(this: OwnedSocket): void {
  this[kOwner]?.gatewayDrained();
}

function gatewayOnEnd(this: OwnedSocket): void {
  this[kOwner]?.gatewayGone();
}

function ignoreError(): void {}
