/** What streams are granted of the room that all share: never more than there is, and without asking all of them each time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ServerRoom, type RoomStream, type RoomUser } from '../../../../ts/engine/jetstream/server-room.ts';
import { effort, holds } from '../../../oracle/check.ts';

const MiB = 1 << 20;

class Stream implements RoomStream {
  readonly config = { storage: 'file' } as const;
  granted = 0;
  bytes = 0;
  readonly store = {
    grant: (bytes: number): void => void (this.granted = bytes),
  } as { granted: number; grant(bytes: number): void };

  constructor() {
    Object.defineProperty(this.store, 'granted', { get: () => this.granted });
  }

  /** As the kernel does: what is granted is used up. */
  append(bytes: number): void {
    this.bytes += bytes;
    this.granted = Math.max(0, this.granted - bytes);
  }
}

class User implements RoomUser {
  readonly limits: { maxMemory: number; maxStorage: number };
  readonly streams = new Map<string, Stream>();
  asked = 0;

  constructor(maxStorage = -1) {
    this.limits = { maxMemory: -1, maxStorage };
  }

  stored(): number {
    this.asked++;
    return [...this.streams.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  reserved(): number {
    return 0;
  }
}

function room(user: User, maxFile: number): ServerRoom {
  return new ServerRoom(
    () => [user],
    () => ({ maxMemory: -1, maxStorage: maxFile }) as never,
  );
}

test('a thousand streams that publish for the first time make it ask them a few times only', () => {
  const user = new User();
  for (let i = 0; i < 1000; i++) user.streams.set(String(i), new Stream());
  const shared = room(user, 100 * 1024 * MiB);
  for (const stream of user.streams.values()) {
    assert.equal(shared.claim(user, stream, 100), undefined);
    assert.ok(stream.granted >= MiB);
  }
  assert.ok(user.asked < 10, `asked ${user.asked} times`);
});

const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ is: fc.constant('publish' as const), at: fc.nat(20), bytes: fc.integer({ min: 1, max: 3 * MiB }) }),
  },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('purge' as const), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('add' as const), bytes: fc.nat(40 * MiB) }) },
);

const megabytes = fc.integer({ min: 1, max: 400 });

test('what is stored and granted together is never more than there is, but for the message that was let in last', () => {
  holds(
    fc.property(megabytes, fc.option(megabytes), fc.array(step, { maxLength: 200 }), (limitMiB, ownMiB, steps) => {
      const user = new User(ownMiB === null ? -1 : ownMiB * MiB);
      const most = Math.min(limitMiB, ownMiB ?? Infinity) * MiB;
      user.streams.set('first', new Stream());
      const shared = room(user, limitMiB * MiB);
      for (const todo of steps) {
        const streams = [...user.streams.values()];
        if (todo.is === 'add') {
          const stream = new Stream();
          stream.bytes = Math.min(
            todo.bytes,
            Math.max(0, most - user.stored() - streams.reduce((sum, { granted }) => sum + granted, 0)),
          );
          user.streams.set(String(user.streams.size), stream);
          continue;
        }
        const stream = streams[todo.at % streams.length] as Stream;
        if (todo.is === 'purge') {
          stream.bytes = 0;
          continue;
        }
        if (shared.claim(user, stream, todo.bytes) === undefined) stream.append(todo.bytes);
        const granted = streams.reduce((sum, each) => sum + each.granted, 0);
        assert.ok(user.stored() + granted <= most + 3 * MiB, `${user.stored()} stored, ${granted} granted of ${most}`);
      }
    }),
    effort(300),
  );
});
