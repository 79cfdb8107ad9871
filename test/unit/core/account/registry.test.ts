// Accounts: which exist, who is the system's, what their limits do to a connection, how connections are counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AccountRegistry } from '../../../../ts/core/account/registry.ts';
import { emptyAccount, unlimitedJetStream } from '../../../../ts/core/config/options-auth.ts';
import { defaultOptions } from '../../../../ts/core/config/options.ts';
import type { AccountOptions, Options } from '../../../../ts/core/config/options.ts';

function optionsWith(accounts: AccountOptions[], change: (options: Options) => void = () => undefined): Options {
  const options = defaultOptions();
  for (const account of accounts) options.accounts.set(account.name, account);
  change(options);
  return options;
}

const limited = (name: string, limits: Partial<AccountOptions['limits']>): AccountOptions => {
  const account = emptyAccount(name);
  return { ...account, limits: { ...account.limits, ...limits } };
};

const names = (registry: AccountRegistry): string[] => [...registry.all()].map(({ name }) => name).toSorted();

test('the global and the system account always exist, unless the latter is switched off or named', () => {
  assert.deepEqual(names(new AccountRegistry(optionsWith([]))), ['$G', '$SYS']);
  assert.deepEqual(names(new AccountRegistry(optionsWith([], (options) => Object.assign(options, { noSystemAccount: true })))), [
    '$G',
  ]);
  const named = new AccountRegistry(
    optionsWith([emptyAccount('SYS')], (options) => Object.assign(options, { systemAccount: 'SYS' })),
  );
  assert.deepEqual(names(named), ['$G', 'SYS']);
  assert.deepEqual([named.isSystem('SYS'), named.isSystem('$G'), named.isSystem('none')], [true, false, false]);
});

test('the global account has JetStream by itself only while it is alone', () => {
  const on = (options: Options): void => {
    options.jetstream.enabled = true;
  };
  assert.notEqual(new AccountRegistry(optionsWith([], on)).get('$G')?.jetstream, undefined);
  const both = new AccountRegistry(optionsWith([{ ...emptyAccount('A'), jetstream: unlimitedJetStream() }], on));
  assert.equal(both.get('$G')?.jetstream, undefined);
  assert.notEqual(both.get('A')?.jetstream, undefined);
});

test('connections are counted up to the limit and down again', () => {
  const registry = new AccountRegistry(optionsWith([limited('A', { maxConnections: 1 })]));
  assert.deepEqual(
    [registry.join('A'), registry.join('A'), registry.join('none')],
    ['ok', 'maxAccountConnections', 'unknownAccount'],
  );
  registry.leave('A');
  assert.equal(registry.connections('A'), 0);
  assert.equal(registry.join('A'), 'ok');
});

test('the stricter of server and account limits a connection', () => {
  const registry = new AccountRegistry(
    optionsWith([limited('A', { maxPayload: 100, maxSubscriptions: 2 }), limited('B', { maxPayload: 9_999 })]),
  );
  assert.deepEqual(registry.limits('A', { maxPayload: 1_000, maxSubs: 0 }), { maxPayload: 100, maxSubs: 2 });
  assert.deepEqual(registry.limits('A', { maxPayload: 50, maxSubs: 1 }), { maxPayload: 50, maxSubs: 1 });
  assert.deepEqual(registry.limits('B', { maxPayload: 1_000, maxSubs: 5 }), { maxPayload: 1_000, maxSubs: 5 });
});

test('a reload tells what came and what went, and keeps counts', () => {
  const registry = new AccountRegistry(optionsWith([emptyAccount('A')]));
  registry.join('A');
  assert.deepEqual(registry.reload(optionsWith([emptyAccount('A'), emptyAccount('B')])), { added: ['B'], removed: [] });
  assert.equal(registry.connections('A'), 1);
  assert.deepEqual(registry.reload(optionsWith([])), { added: [], removed: ['A', 'B'] });
});
