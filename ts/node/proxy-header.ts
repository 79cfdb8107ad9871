// Reading the header of a proxy from a socket of node that nobody has read from yet. What came behind it is put back.
// Kept true: the promise settles once, within the time a header may take; the socket stays paused.

import type { Socket } from 'node:net';
import { ProxyGreeting } from '../core/session/proxy-header.ts';
import type { ProxiedClient } from '../core/session/proxy-header.ts';
import { hostPort, plainAddress } from '../lib/address.ts';

/** From the connection's begin to the header's end. */
export const HEADER_WAIT_MS = 5_000;

interface Ends {
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
}

/** As Go names what a connection failed with. */
export function readFailure(ends: Ends, why: string): string {
  const local = hostPort(plainAddress(ends.localAddress), ends.localPort ?? 0);
  return `read tcp ${local}->${hostPort(plainAddress(ends.remoteAddress), ends.remotePort ?? 0)}: ${why}`;
}

/** Whom the connection is from; undefined: the peer speaks for itself. Rejects, in words, when it says something that is no header. */
export function proxiedClient(socket: Socket): Promise<ProxiedClient | undefined> {
  return new Promise((resolve, reject) => {
    const greeting = new ProxyGreeting();
    const timedOut = readFailure(socket, 'i/o timeout');
    const stop = (): void => {
      clearTimeout(timer);
      socket.off('readable', look);
      socket.off('end', ended);
      socket.off('close', ended);
    };
    const fail = (why?: string): void => {
      stop();
      reject(new Error(greeting.problem(why)));
    };
    const ended = (): void => fail();
    const look = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null || !greeting.take(bytes)) return;
      const { header, rest } = greeting;
      if (header.kind === 'broken') return fail();
      stop();
      if (rest.length > 0) socket.unshift(rest);
      resolve(header.kind === 'header' ? header.client : undefined);
    };
    const timer = setTimeout(() => fail(timedOut), HEADER_WAIT_MS);
    socket.on('readable', look);
    socket.on('end', ended);
    socket.on('close', ended);
    if (socket.destroyed) ended();
  });
}
