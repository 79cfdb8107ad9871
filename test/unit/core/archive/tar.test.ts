// The tar of an archive: what is written is read, by us and by `tar`; the archive of a real backup is read; hostile input gives an error.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ArchiveError } from '../../../../ts/core/archive/archive-error.ts';
import { concatBytes, decodeS2 } from '../../../../ts/core/archive/s2-stream.ts';
import { TarReader } from '../../../../ts/core/archive/tar-reader.ts';
import { tarEnd, tarMemberHead, tarPadding } from '../../../../ts/core/archive/tar-writer.ts';
import { temporaryFolder } from '../../../support/temporary.ts';

interface Member {
  readonly name: string;
  readonly content: Uint8Array;
}

function write(members: readonly Member[]): Uint8Array {
  const parts = members.flatMap(({ name, content }) => [
    ...tarMemberHead(name, content.length, 1_700_000_000),
    content,
    tarPadding(content.length),
  ]);
  return concatBytes([...parts, tarEnd()]);
}

function read(tar: Uint8Array, piece = tar.length): Member[] {
  const members: Member[] = [];
  let name = '';
  let size = 0;
  let parts: Uint8Array[] = [];
  const reader = new TarReader({
    begin: (given, length) => {
      name = given;
      size = length;
      parts = [];
    },
    data: (bytes) => parts.push(bytes.slice()),
    finish: () => {
      const content = concatBytes(parts);
      assert.equal(content.length, size, name);
      members.push({ name, content });
    },
  });
  for (let at = 0; at < tar.length; at += piece) reader.push(tar.subarray(at, at + piece));
  reader.end();
  return members;
}

const shown = (members: readonly Member[]): readonly string[] =>
  members.map(({ name, content }) => `${name} ${Buffer.from(content).toString('hex')}`);

const member = fc.record({
  name: fc.string({ minLength: 1, maxLength: 260, unit: 'grapheme' }).filter((name) => !name.includes('\0')),
  content: fc.uint8Array({ maxLength: 1500 }),
});

describe('tar', () => {
  test('what is written comes back, in whatever pieces it arrives', () => {
    fc.assert(
      fc.property(fc.array(member, { maxLength: 5 }), fc.integer({ min: 1, max: 2000 }), (members, piece) => {
        assert.deepEqual(shown(read(write(members), piece)), shown(members));
      }),
    );
  });

  const noTar = spawnSync('tar', ['--version']).status === 0 ? false : 'tar not found on this machine';
  test('the program tar reads what is written: long and foreign names too', { skip: noTar }, () => {
    const folder = temporaryFolder();
    const names = ['meta.inf', `obs/${'n'.repeat(200)}/meta.inf`, 'obs/größe/o.dat'];
    const path = join(folder, 'written.tar');
    writeFileSync(path, write(names.map((name) => ({ name, content: new TextEncoder().encode(name) }))));
    const list = execFileSync('tar', ['-tf', path, '--quoting-style=literal', '--show-transformed-names'], { encoding: 'utf8' });
    assert.deepEqual(list.trim().split('\n'), names);
    const details = execFileSync('tar', ['-tvf', path], { encoding: 'utf8' });
    assert.match(details, /^-rw------- nats\/nats +8 2023-11-14 .*meta\.inf/);
  });

  test('the archive of a backup by nats-server is read', () => {
    const folder = temporaryFolder();
    execFileSync('tar', ['xzf', join(import.meta.dirname, '../../../fixtures/store/backup.tar.gz'), '-C', folder]);
    const packed = readFileSync(join(folder, 'backup', 'stream.tar.s2'));
    const members = read(decodeS2(packed));
    const names = members.map(({ name }) => name);
    assert.deepEqual(names.slice(0, 3), ['meta.inf', 'meta.sum', 'msgs/1.blk']);
    assert.ok(names.includes('msgs/index.db') && names.includes('obs/expl/o.dat'), names.join());
    const meta = JSON.parse(Buffer.from(members[0]?.content ?? []).toString()) as { name: string };
    assert.equal(meta.name, 'YARROW');
  });

  test('links, directories and devices are refused', () => {
    for (const type of ['1', '2', '3', '5', '6']) {
      const tar = write([{ name: 'a', content: new Uint8Array(0) }]);
      tar[156] = type.charCodeAt(0);
      const sum = tar.subarray(0, 512).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
      tar.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
      assert.throws(() => read(tar), /is not a regular file/);
    }
  });

  test('a damaged header and a cut archive are noticed', () => {
    const tar = write([{ name: 'a', content: new Uint8Array(600).fill(1) }]);
    const damaged = tar.slice();
    damaged[3] = 65;
    assert.throws(() => read(damaged), ArchiveError);
    for (const length of [1, 511, 513, 1000, 1113]) assert.throws(() => read(tar.subarray(0, length)), ArchiveError, `${length}`);
  });

  test('noise gives an error or members, never anything else', () => {
    const [head = new Uint8Array(0)] = tarMemberHead('a', 100, 0);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 511 }), fc.uint8Array({ maxLength: 1200 }), (at, noise) => {
        const tar = concatBytes([head, noise]);
        const other = tar.slice();
        other[at] = (other[at] ?? 0) ^ 0x55;
        for (const bytes of [tar, other]) {
          try {
            read(bytes, 100);
          } catch (error) {
            assert.ok(error instanceof ArchiveError, String(error));
          }
        }
      }),
    );
  });
});
