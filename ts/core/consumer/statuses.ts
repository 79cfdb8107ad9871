// The statuses that a consumer sends instead of messages, as outputs of its machine.

import type { ConsumerOutput } from './contract.ts';
import type { SequencePair } from './o-dat.ts';
import type { WaitingRequest } from './waiting.ts';

type Status = Extract<ConsumerOutput, { is: 'status' }>;

export function statusOf(to: string, status: string, headers: Status['headers'] = [], reply = ''): Status {
  return { is: 'status', to, status, headers, reply };
}

/** Ends a request and tells what it did not get. */
export function requestEnds({ reply, wanted, bytes }: WaitingRequest, status: string): Status {
  return statusOf(reply, status, [
    ['Nats-Pending-Messages', wanted],
    ['Nats-Pending-Bytes', bytes],
  ]);
}

/** `last`: what was sent last; `stalled`: the flow control request that is not answered, '' for none. */
export function idleHeartbeat(to: string, last: SequencePair, stalled: string): Status {
  const headers: (readonly [string, string | number])[] = [
    ['Nats-Last-Consumer', last.consumer],
    ['Nats-Last-Stream', last.stream],
  ];
  if (stalled !== '') headers.push(['Nats-Consumer-Stalled', stalled]);
  return statusOf(to, '100 Idle Heartbeat', headers);
}

/** Asks the client of a push consumer to say on `asked` that it has got everything so far. */
export function flowControlRequest(to: string, asked: string): Status {
  return statusOf(to, '100 FlowControl Request', [], asked);
}
