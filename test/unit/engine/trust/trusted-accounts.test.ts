// Accounts of operator mode on a clock that the test moves: fetched once, together with what they import, until they run out or go.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemorySource } from '../../../../ts/engine/trust/account-source.ts';
import { TrustedAccounts } from '../../../../ts/engine/trust/trusted-accounts.ts';
import { silentLog } from '../../../../ts/app/silent-log.ts';
import { nodeTokens } from '../../../../ts/node/crypto.ts';
import { TestAccount, TestOperator, jwt } from '../../../support/tokens.ts';
import { VirtualClock } from '../../../support/virtual-clock.ts';

class World {
  readonly operator = new TestOperator();
  readonly clock = new VirtualClock(Date.now());
  readonly source = new MemorySource();
  readonly changes: string[][] = [];
  readonly accounts = new TrustedAccounts(
    { trustedKeys: new Set([this.operator.keys.getPublicKey()]), strictKeys: new Set() },
    this.source,
    { clock: this.clock, log: silentLog, tokens: nodeTokens },
    (names) => {
      this.changes.push([...names]);
      return Promise.resolve();
    },
  );

  account(): TestAccount {
    return new TestAccount(this.operator, 'A');
  }

  seconds(from: number): number {
    return Math.floor(this.clock.wallMs() / 1000) + from;
  }

  /** Looks an account up; the clock goes on as long as it is not there. */
  async lookup(key: string): Promise<boolean> {
    let found: unknown;
    const looked = Promise.resolve(this.accounts.lookup(key)).then((account) => (found = account ?? null));
    for (let turn = 0; turn < 100 && found === undefined; turn++) {
      await Promise.resolve();
      this.clock.advance(1);
    }
    await looked;
    return found !== null;
  }
}

const service = (account: string, more: Record<string, unknown> = {}) => ({ subject: 'q', type: 'service', account, ...more });

test('an account is fetched once, and handed on once', async () => {
  const world = new World();
  const a = world.account();
  world.source.store(a.key, a.jwt());
  assert.ok(await world.lookup(a.key));
  assert.ok(await world.lookup(a.key));
  assert.deepEqual(world.changes, [[a.key]]);
});

test('accounts that import from each other are there together', async () => {
  const world = new World();
  const [a, b] = [world.account(), world.account()];
  const exports = [{ subject: 'q', type: 'service' }];
  world.source.store(a.key, a.jwt({ exports, imports: [service(b.key, { local_subject: 'b' })] }));
  world.source.store(b.key, b.jwt({ exports, imports: [service(a.key, { local_subject: 'a' })] }));
  assert.ok(await world.lookup(a.key));
  assert.deepEqual([...world.accounts.options().keys()].toSorted(), [a.key, b.key].toSorted());
});

test('what no trusted operator signed, or is somebody else’s, is no account', async () => {
  const world = new World();
  const stranger = new TestAccount(new TestOperator(), 'X');
  const [a, b] = [world.account(), world.account()];
  world.source.store(stranger.key, stranger.jwt());
  world.source.store(a.key, b.jwt());
  assert.deepEqual(
    [await world.lookup(stranger.key), await world.lookup(a.key), await world.lookup(b.key)],
    [false, false, false],
  );
  assert.equal(await world.lookup('nobody'), false);
  assert.deepEqual(world.changes, []);
});

test('an account runs out at its time, and comes back with a new JWT', async () => {
  const world = new World();
  const a = world.account();
  world.source.store(a.key, a.jwt({}, {}, { exp: world.seconds(10) }));
  assert.ok(await world.lookup(a.key));
  world.clock.advance(12_000);
  assert.equal(world.accounts.get(a.key)?.expired, true);
  assert.equal(world.changes.length, 2);
  world.source.store(a.key, a.jwt());
  world.clock.advance(2_000);
  assert.ok(await world.lookup(a.key));
  assert.equal(world.accounts.get(a.key)?.expired, false);
});

test('an account that is removed counts as run out until it is there again', async () => {
  const world = new World();
  const a = world.account();
  world.source.store(a.key, a.jwt());
  assert.ok(await world.lookup(a.key));
  world.accounts.remove(a.key);
  assert.equal(world.accounts.get(a.key)?.expired, true);
  assert.equal(await world.lookup(a.key), false);
});

test('an import is open as long as its activation holds', async () => {
  const world = new World();
  const [a, b] = [world.account(), world.account()];
  const activation = {
    sub: b.key,
    exp: world.seconds(30),
    nats: { subject: 'q', kind: 'service', type: 'activation', version: 2 },
  };
  world.source.store(a.key, a.jwt({ exports: [{ subject: 'q', type: 'service', token_req: true }] }));
  world.source.store(b.key, b.jwt({ imports: [service(a.key, { token: jwt(a.keys, activation) })] }));
  assert.ok(await world.lookup(b.key));
  const isOpen = (): boolean | undefined => world.accounts.options().get(b.key)?.imports[0]?.activated;
  assert.equal(isOpen(), true);
  const before = world.changes.length;
  world.clock.advance(32_000);
  assert.deepEqual([isOpen(), world.changes.length], [false, before + 1]);
});

test('an activation of a stranger, or for another account, opens nothing', async () => {
  const world = new World();
  const [a, b, c] = [world.account(), world.account(), world.account()];
  const claim = (sub: string) => ({ sub, nats: { subject: 'q', kind: 'service', type: 'activation', version: 2 } });
  world.source.store(a.key, a.jwt({ exports: [{ subject: 'q', type: 'service', token_req: true }] }));
  const imports = [
    service(a.key, { token: jwt(c.keys, claim(b.key)) }),
    service(a.key, { token: jwt(a.keys, claim(c.key)), local_subject: 'r' }),
  ];
  world.source.store(b.key, b.jwt({ imports }));
  assert.ok(await world.lookup(b.key));
  assert.deepEqual(
    world.accounts
      .options()
      .get(b.key)
      ?.imports.map(({ activated }) => activated),
    [false, false],
  );
});
