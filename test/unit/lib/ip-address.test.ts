// Addresses as text and bytes, against node's own judgement of what an address is.

import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseAddress } from '../../../ts/lib/ip-address.ts';

const parts = fc.constantFrom(
  '0',
  '1',
  '00',
  '255',
  '256',
  '1.2.3.4',
  '01.2.3.4',
  'ffff',
  'FE80',
  '12345',
  'g',
  ':',
  '::',
  '.',
  '',
);

describe('IP addresses', () => {
  it('are those that node takes, without zones', () => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 16 }), (all) => {
        const text = all.join('');
        assert.equal(parseAddress(text) !== undefined, isIP(text) !== 0, text);
      }),
      { numRuns: 5_000 },
    );
  });

  it('are the same after they were written and read', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, 16, 255), { minLength: 16, maxLength: 16 }), (bytes) => {
        const text = formatAddress(bytes);
        const read = parseAddress(text);
        const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];
        assert.deepEqual(read?.length === 4 ? [...mapped, ...read] : read, bytes, text);
      }),
    );
  });

  for (const [written, shown] of [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
    ['fe80::', 'fe80::'],
  ] as const) {
    it(`shows ${written} as ${shown}`, () => {
      assert.equal(formatAddress(parseAddress(written) ?? []), shown);
    });
  }
});
