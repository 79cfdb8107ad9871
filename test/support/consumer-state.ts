// The bytes of o.dat for a state that is told as what o.dat is read into.

import { encodeConsumerState, type ConsumerState } from '../../ts/core/consumer/o-dat.ts';

export function consumerStateBytes({ ackFloor, delivered, pending, redelivered }: ConsumerState, nowSeconds = 0): Uint8Array {
  const each = (call: (stream: number, consumer: number, sentAtMs: number) => void): void => {
    for (const { stream, consumer, seconds } of pending) call(stream, consumer, seconds * 1000);
  };
  const counts = new Map(redelivered.map(({ stream, count }) => [stream, count]));
  return encodeConsumerState({ ackFloor, delivered, pending: { size: pending.length, each }, redelivered: counts }, nowSeconds);
}
