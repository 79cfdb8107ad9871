/** Watched subjects: whoever watches one hears of every turn in which subscriptions of exactly it came or went, once, and of nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoryServer, type MemoryPeer } from '../../../oracle/memory-server.ts';

const subjects = ['a', 'b', 'a.b', 'a.*'];

type Step =
  | {
      readonly is: 'sub';
      readonly peer: number;
      readonly sid: number;
      readonly subject: string;
      readonly how: 'plain' | 'group' | 'once';
    }
  | { readonly is: 'unsub'; readonly peer: number; readonly sid: number }
  | { readonly is: 'hang up'; readonly peer: number }
  | { readonly is: 'watch'; readonly subject: string }
  | { readonly is: 'publish'; readonly subject: string }
  | { readonly is: 'unwatch'; readonly which: number };

const peer = fc.nat(2);
const sid = fc.nat(3);
const subject = fc.constantFrom(...subjects);
const steps = fc.array(
  fc.oneof(
    fc.record({
      is: fc.constant('sub' as const),
      peer,
      sid,
      subject,
      how: fc.constantFrom('plain' as const, 'group' as const, 'once' as const),
    }),
    fc.record({ is: fc.constant('unsub' as const), peer, sid }),
    fc.record({ is: fc.constant('hang up' as const), peer }),
    fc.record({ is: fc.constant('watch' as const), subject }),
    fc.record({ is: fc.constant('publish' as const), subject: fc.constantFrom('a', 'b', 'a.b') }),
    fc.record({ is: fc.constant('unwatch' as const), which: fc.nat(5) }),
  ),
  { maxLength: 80 },
);

interface Subscription {
  readonly subject: string;
  /** Ends with its first message. */
  readonly once: boolean;
}

interface Watched {
  readonly subject: string;
  readonly cancel: () => void;
  calls: number;
}

/** One server, three clients and what they are subscribed to. */
class Scene {
  readonly server = new MemoryServer();
  readonly peers: MemoryPeer[] = [0, 1, 2].map(() => this.#connect());
  readonly subscribed = [0, 1, 2].map(() => new Map<number, Subscription>());
  readonly watches: Watched[] = [];

  #connect(): MemoryPeer {
    const connected = this.server.connect();
    connected.send('CONNECT {"verbose":false}\r\n');
    return connected;
  }

  watch(watched: string): void {
    const { broker } = this.server;
    const entry: Watched = { subject: watched, calls: 0, cancel: () => watch.cancel() };
    const watch = broker.watches.watch(broker.accounts.get('$G').handle, watched, () => entry.calls++);
    this.watches.push(entry);
  }

  /** Does one step; the subjects whose subscriptions came or went by it. */
  act(step: Step): Set<string> {
    switch (step.is) {
      case 'watch':
        this.watch(step.subject);
        return new Set();
      case 'unwatch':
        this.watches.splice(step.which, 1)[0]?.cancel();
        return new Set();
      case 'hang up': {
        const gone = new Set([...(this.subscribed[step.peer]?.values() ?? [])].map((one) => one.subject));
        this.peers[step.peer]?.hangUp();
        this.peers[step.peer] = this.#connect();
        this.subscribed[step.peer]?.clear();
        return gone;
      }
      case 'publish': {
        this.peers[0]?.send(`PUB ${step.subject} 0\r\n\r\n`);
        const gone = new Set<string>();
        for (const own of this.subscribed)
          for (const [id, one] of own)
            if (one.once && (one.subject === step.subject || (one.subject === 'a.*' && step.subject === 'a.b'))) {
              own.delete(id);
              gone.add(one.subject);
            }
        return gone;
      }
      default:
        return this.#subscription(step);
    }
  }

  #subscription(step: Extract<Step, { sid: number }>): Set<string> {
    const own = this.subscribed[step.peer];
    const had = own?.get(step.sid);
    if (step.is === 'sub') {
      if (had !== undefined) return new Set();
      const end = step.how === 'once' ? `UNSUB ${step.sid} 1\r\n` : '';
      this.peers[step.peer]?.send(`SUB ${step.subject} ${step.how === 'group' ? 'q ' : ''}${step.sid}\r\n${end}`);
      own?.set(step.sid, { subject: step.subject, once: step.how === 'once' });
      return new Set([step.subject]);
    }
    this.peers[step.peer]?.send(`UNSUB ${step.sid}\r\n`);
    own?.delete(step.sid);
    return new Set(had === undefined ? [] : [had.subject]);
  }
}

test('watchers hear of every turn that changed the subscriptions of their subject, once', () => {
  fc.assert(
    fc.property(steps, (todo) => {
      const scene = new Scene();
      scene.watch('a');
      for (const step of todo) {
        const before = scene.watches.map(({ calls }) => calls);
        const known = [...scene.watches];
        const changed = scene.act(step);
        for (const [index, watch] of known.entries()) {
          const heard = watch.calls - (before[index] ?? 0);
          const gone = !scene.watches.includes(watch);
          assert.equal(heard, !gone && changed.has(watch.subject) ? 1 : 0, `${JSON.stringify(step)}: ${watch.subject}`);
        }
      }
    }),
    { numRuns: 150 },
  );
});

test('watches that come and go leave nothing in the kernel', () => {
  const scene = new Scene();
  const { exports } = scene.server.kernel;
  const round = (): void => {
    for (let n = 0; n < 1000; n++) scene.watch(`w.${n % 10}`);
    scene.peers[0]?.send('SUB w.1 1\r\nSUB w.2 2\r\n');
    for (const { cancel } of scene.watches.splice(0)) cancel();
    scene.peers[0]?.send('UNSUB 1\r\nUNSUB 2\r\n');
  };
  round();
  round();
  const live = exports.liveBytes();
  round();
  assert.equal(exports.liveBytes(), live);
});
