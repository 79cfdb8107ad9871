// Accounts without JetStream that ask a domain by default: what they ask is mapped, and nothing else of them changes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileAccounts } from '../../../../ts/core/account/registry.ts';
import { compileMappings } from '../../../../ts/core/subject/mappings.ts';
import { read } from '../config/memory-ports.ts';

const mapped = (config: string, account: string, subject: string): string | undefined => {
  const { options } = read(config);
  const { mappings } = compileAccounts(options).get(account) ?? assert.fail();
  return compileMappings(mappings, '', { below: () => 0 }).map(subject);
};

describe('the default domain of an account', () => {
  const config = 'jetstream { domain: hub }\naccounts { A { jetstream: on }, B {}, C {} }\ndefault_js_domain { B: hub, C: "" }\n';

  it('is asked whatever its clients ask JetStream', () => {
    for (const [asked, goes] of [
      ['$JS.API.INFO', '$JS.hub.API.INFO'],
      ['$JS.API.STREAM.INFO.S', '$JS.hub.API.STREAM.INFO.S'],
      ['$JS.API.CONSUMER.MSG.NEXT.S.C', '$JS.hub.API.CONSUMER.MSG.NEXT.S.C'],
      ['$KV.bucket.key', '$JS.hub.API.$KV.bucket.key'],
    ]) {
      assert.equal(mapped(config, 'B', asked ?? ''), goes);
    }
  });

  it('leaves other subjects and other accounts as they are', () => {
    assert.equal(mapped(config, 'B', '$JS.ACK.S.C.1.1.1.1.1'), '$JS.ACK.S.C.1.1.1.1.1');
    for (const account of ['A', 'C', '$G']) assert.equal(mapped(config, account, '$JS.API.INFO'), '$JS.API.INFO');
  });

  it("gives way to a mapping of the account's own", () => {
    const own = config.replace('B {}', 'B { mappings { "$JS.API.INFO": other } }');
    assert.equal(mapped(own, 'B', '$JS.API.INFO'), 'other');
    assert.equal(mapped(own, 'B', '$JS.API.STREAM.NAMES'), '$JS.hub.API.STREAM.NAMES');
  });
});
