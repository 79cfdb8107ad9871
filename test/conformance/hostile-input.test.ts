/**
 * Hostile bytes: valid conversations that were mutated, and plain noise. Each attack runs on a connection of its own beside a bystander
 * that must stay untouched. Where nats-server is installed its answer to the same bytes is the wanted one.
 * Every attack ends in a run of `Z` longer than all limits, so that any parser state comes to a close and no test waits for silence.
 * HOSTILE_CASES and HOSTILE_SEED choose how many and which.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { skipWithout } from '../support/peers.ts';
import { ServerProcess } from '../support/server.ts';
import { WireClient } from '../support/wire.ts';

const config = 'max_payload: 64\nmax_control_line: 128\n';
const cases = Number(process.env['HOSTILE_CASES'] ?? 400);
const firstSeed = Number(process.env['HOSTILE_SEED'] ?? 1);
const ending = 'Z'.repeat(200);

/** After a CR that ends no line, nats-server cuts the last byte off the argument it stood in. That is not imitated. */
const loneReturn = /\r(?!\n)/;

const phrases: readonly string[] = [
  'CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n',
  'CONNECT {"verbose":true,"pedantic":false}\r\n',
  'PING\r\n',
  'PONG\r\n',
  'SUB a.b 1\r\n',
  'SUB a.* q 2\r\n',
  'SUB > 3\r\n',
  'UNSUB 1\r\n',
  'UNSUB 2 1\r\n',
  'PUB a.b 2\r\nhi\r\n',
  'PUB a.b re.ply 5\r\nhello\r\n',
  'PUB x 0\r\n\r\n',
  'HPUB a.b 12 14\r\nNATS/1.0\r\n\r\nhi\r\n',
  'HPUB a.b r 12 12\r\nNATS/1.0\r\n\r\n\r\n',
  '+OK\r\n',
  'INFO {}\r\n',
];

const insertions: readonly string[] = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '-',
  '9',
  '0',
  '{',
  '"',
  '\xff',
  '.',
  '>',
  '*',
  'A',
  '99999999999',
];

/** A small generator of our own, so that a seed means the same bytes for ever. */
class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed * 2654435761) >>> 0 || 1;
  }

  below(limit: number): number {
    let x = this.#state;
    x ^= (x << 13) >>> 0;
    x ^= x >>> 17;
    x ^= (x << 5) >>> 0;
    this.#state = x >>> 0;
    return this.#state % limit;
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}

function attackOf(seed: number): string {
  const dice = new Dice(seed);
  if (dice.below(8) === 0) return Array.from({ length: 1 + dice.below(60) }, () => String.fromCharCode(dice.below(256))).join('');
  let text = dice.of(phrases.slice(0, 2));
  for (let count = 1 + dice.below(6); count > 0; count--) text += dice.of(phrases);
  for (let count = dice.below(4); count > 0; count--) {
    const at = dice.below(text.length);
    const kind = dice.below(5);
    if (kind === 0) text = text.slice(0, at) + text.slice(at + 1 + dice.below(3));
    else if (kind === 1) text = text.slice(0, at) + dice.of(insertions) + text.slice(at);
    else if (kind === 2) text = text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + 1);
    else if (kind === 3) text = text.slice(0, at) + text.slice(at, at + dice.below(12)) + text.slice(at);
    else text = text.slice(0, at);
  }
  return text.slice(0, 300);
}

async function answerOf(server: ServerProcess, attack: string): Promise<string> {
  const { client } = await WireClient.greeted(server.port);
  await client.write(attack + ending);
  const answer = await client.rest();
  client.destroy();
  return answer;
}

async function bystander(server: ServerProcess): Promise<WireClient> {
  const { client } = await WireClient.greeted(server.port);
  await client.write('CONNECT {"verbose":false}\r\nSUB by.stander 1\r\n');
  assert.equal(await client.sync(), '');
  return client;
}

async function assertUntouched(client: WireClient, seed: number): Promise<void> {
  await client.write('PUB by.stander 2\r\nok\r\n');
  const heard = (await client.sync()).replace('PING\r\n', '');
  assert.equal(heard, 'MSG by.stander 1 2\r\nok\r\n', `the bystander after attack ${seed}`);
}

describe(`${cases} hostile inputs from seed ${firstSeed}`, () => {
  let server: ServerProcess;
  before(async () => {
    server = await ServerProcess.start('slipstream', { config });
  });
  after(() => server.kill());

  test('each ends its own connection and no other', async () => {
    const witness = await bystander(server);
    for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
      const attack = attackOf(seed);
      await answerOf(server, attack).catch((error: unknown) => {
        throw new Error(`attack ${seed} ${JSON.stringify(attack)}`, { cause: error });
      });
      if (seed % 20 === 0) await assertUntouched(witness, seed);
    }
    await assertUntouched(witness, firstSeed + cases);
    witness.destroy();
  });

  test('each is answered as by nats-server', { skip: skipWithout('nats-server') }, async () => {
    const real = await ServerProcess.start('nats-server', { config });
    try {
      const differing: string[] = [];
      for (let seed = firstSeed; seed < firstSeed + cases; seed++) {
        const attack = attackOf(seed);
        if (loneReturn.test(attack)) continue;
        const wanted = await answerOf(real, attack);
        const got = await answerOf(server, attack);
        if (got !== wanted)
          differing.push(
            `${seed}: sent ${JSON.stringify(attack)}\n  want ${JSON.stringify(wanted)}\n  got  ${JSON.stringify(got)}`,
          );
      }
      assert.equal(differing.length, 0, `${differing.length} answers differ:\n${differing.slice(0, 12).join('\n')}`);
    } finally {
      await real.kill();
    }
  });
});
