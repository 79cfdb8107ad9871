// Hundreds of small configurations, right and wrong: each is accepted, warned about or refused, with the text that says why.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProblem } from '../../../../ts/core/config/config-error.ts';
import { checkTls } from '../../../../ts/app/flags.ts';
import { readConfigText } from '../../../../ts/core/config/read-config.ts';
import { configSamples } from '../../../support/config-samples.ts';
import { memoryPorts, mistakes } from './memory-ports.ts';

const ports = { ...memoryPorts(), checkTls };
const samples = configSamples('/tmp/slipstream');

test('there are enough samples to mean something', () => {
  for (const verdict of ['accept', 'warn', 'reject']) {
    assert.ok(samples.filter((sample) => sample.verdict === verdict).length >= 15, `samples with the verdict ${verdict}`);
  }
  assert.ok(samples.length > 700);
});

test('each sample gets the verdict written beside it', () => {
  for (const { text, verdict, problem } of samples) {
    if (verdict === 'reject') {
      const said = mistakes(() => readConfigText(text, 's.conf', ports));
      assert.ok(said[0]?.includes(problem), `${text}should say: ${problem}\nsays: ${said.join('\n')}`);
    } else {
      const warnings = readConfigText(text, 's.conf', ports).warnings.map(formatProblem);
      assert.equal(warnings.length > 0 ? 'warn' : 'accept', verdict, `${text}${warnings.join('\n')}`);
      assert.ok(
        verdict === 'accept' || warnings[0]?.includes(problem),
        `${text}should warn: ${problem}\nwarns: ${warnings.join()}`,
      );
    }
  }
});
