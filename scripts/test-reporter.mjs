// The test report: one line a file, each failure whole where it happens, the names of all failures again at the end, and the closing counts
// (`# tests N`, `# pass N`, `# fail N`, …) as the last lines. What tests themselves print is shown only for a file with a failure.

import { relative } from 'node:path';
import { inspect } from 'node:util';
import { root } from './root.mjs';

/**
 * What is known of the file being reported.
 * @typedef {{ path: string, passed: number, failed: number, skipped: number, ms: number, output: string[] }} FileReport
 */

/** @param {string | undefined} file */
const pathOf = (file) => (file ? relative(root, file) : '(no file)');

/** @param {FileReport} report */
function closingLine({ path, passed, failed, skipped, ms }) {
  const word = failed > 0 ? 'FAILED' : 'ok';
  const parts = [`${passed} passed`, ...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])];
  return `${word.padEnd(6)} ${path}  ${parts.join(', ')}  ${Math.round(ms)} ms\n`;
}

/** @param {any} data */
function failureText(data) {
  const error = data.details?.error;
  const cause = error?.cause ?? error;
  const text = (cause instanceof Error ? inspect(cause, { depth: 6 }) : String(cause)).replace(
    /^ +at .*node:internal.*\n?/gm,
    '',
  );
  return `not ok - ${data.name}\n    in ${pathOf(data.file)}\n${indented(text)}`;
}

/**
 * @param {string} text
 * @param {string} [margin]
 */
const indented = (text, margin = '    ') => `${text.trimEnd().replace(/^/gm, margin)}\n`;

/** A suite that fails only because a test in it failed says nothing new. @param {any} data */
const repeatsSubtest = (data) => data.details?.error?.failureType === 'subtestsFailed';

/** @param {any} data */
const isSuite = (data) => data.details?.type === 'suite';

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* report(source) {
  /** @type {Map<string, FileReport>} */
  const reports = new Map();
  /** @type {FileReport | undefined} */
  let current;
  /** @type {string[]} */
  const failures = [];
  /** @type {string[]} */
  const counts = [];

  /** @param {any} data */
  const reportOf = (data) => {
    const path = pathOf(data.file);
    const known = reports.get(path);
    if (known) return known;
    /** @type {FileReport} */
    const fresh = { path, passed: 0, failed: 0, skipped: 0, ms: 0, output: [] };
    reports.set(path, fresh);
    return fresh;
  };

  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr') reportOf(data).output.push(data.message);
    if (
      type === 'test:diagnostic' &&
      data.nesting === 0 &&
      /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /.test(data.message)
    ) {
      counts.push(`# ${data.message}\n`);
    }
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const own = reportOf(data);
    if (current && current !== own) {
      yield closingLine(current);
    }
    current = own;
    if (data.nesting === 0) own.ms += data.details?.duration_ms ?? 0;
    if (type === 'test:fail' && !data.todo) {
      if (repeatsSubtest(data)) continue;
      own.failed++;
      failures.push(`not ok - ${pathOf(data.file)}: ${data.name}\n`);
      yield failureText(data);
      if (own.output.length > 0) yield indented(own.output.splice(0).join(''), '    | ');
    } else if (data.skip !== undefined) own.skipped++;
    else if (!isSuite(data)) own.passed++;
  }
  if (current) yield closingLine(current);
  if (failures.length > 0) yield `\n${failures.join('')}`;
  yield `\n${counts.join('')}`;
}
