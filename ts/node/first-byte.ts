// Looking at what a peer says first, without taking it.
import type { Socket } from 'node:net';

/** The first byte a paused socket receives; undefined when none came within `waitMs` or the peer left. */
export function firstByte(socket: Socket, waitMs: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const done = (byte: number | undefined): void => {
      clearTimeout(timer);
      socket.off('readable', look);
      socket.off('close', gone);
      resolve(byte);
    };
    const look = (): void => {
      const bytes = socket.read() as Buffer | null;
      if (bytes === null) return;
      socket.unshift(bytes);
      done(bytes[0]);
    };
    const gone = (): void => done(undefined);
    const timer = setTimeout(gone, waitMs);
    socket.on('readable', look);
    socket.on('close', gone);
  });
}
