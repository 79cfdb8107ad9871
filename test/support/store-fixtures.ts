/**
 * Store directories that nats-server wrote, unpacked from test/fixtures/store, with the content it showed for them.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CipherName } from '../../ts/ports/ciphers.ts';
import type { EncryptionOptions } from '../../ts/engine/store/cipher/keyring.ts';
import type { StoredMessage } from '../../ts/engine/store/store.ts';
import { temporaryFolder } from './temporary.ts';

export interface ExpectedMessage {
  readonly subject: string;
  readonly ts: number;
  readonly hdr?: string;
  readonly size: number;
  readonly sha256: string;
  readonly unreadable?: string;
}

export interface ExpectedStream {
  readonly config: Record<string, unknown> & { max_msgs: number; max_bytes: number; max_msgs_per_subject: number };
  readonly subjects: Record<string, number>;
  readonly state: {
    messages: number;
    bytes: number;
    first_seq: number;
    last_seq: number;
    deleted: number[];
    num_subjects: number;
  };
  readonly messages: Record<string, ExpectedMessage>;
}

const fixtures = join(import.meta.dirname, '../fixtures/store');

export interface StoreFixture {
  /** The folder above `jetstream`. */
  readonly folder: string;
  readonly root: string;
  readonly accounts: Record<string, Record<string, ExpectedStream>>;
  readonly encryption?: EncryptionOptions;
}

export function unpackFixture(name: string): StoreFixture {
  const folder = temporaryFolder();
  execFileSync('tar', ['xzf', join(fixtures, `${name}.tar.gz`), '-C', folder]);
  const expected = JSON.parse(readFileSync(join(fixtures, `${name}.json`), 'utf8')) as {
    key?: string | null;
    cipher?: CipherName;
    accounts: Record<string, Record<string, ExpectedStream>>;
  };
  const { key, cipher, accounts } = expected;
  const encryption = key === undefined || key === null ? {} : { encryption: { key, prevKey: '', cipher: cipher ?? 'chacha' } };
  return { folder, root: join(folder, 'jetstream'), accounts, ...encryption };
}

export function checkStored(seq: string, found: Omit<StoredMessage, 'ts' | 'seq'>, message: ExpectedMessage): void {
  assert.equal(found.subject, message.subject);
  assert.equal(found.payload.length, message.size);
  assert.equal(createHash('sha256').update(found.payload).digest('hex'), message.sha256, `payload of ${seq}`);
  assert.equal(Buffer.from(found.headers).toString('base64'), message.hdr ?? '', `headers of ${seq}`);
}
