// Writes a block file anew: read, decrypted, given its new form, encrypted, written beside the old one and synced. Whoever asked gives it the
// block's name.

import fs from 'node:fs';
import { rewriteBlock } from '../core/block/rewrite-block.ts';
import type { RewriteResult, RewriteTask } from '../ports/jobs.ts';
import { nodeCiphers } from './ciphers.ts';
import { messageOf } from '../lib/message-of.ts';

const FILE_MODE = 0o600;

function writeSynced(path: string, content: Uint8Array): void {
  const descriptor = fs.openSync(path, 'w', FILE_MODE);
  try {
    for (let at = 0; at < content.length;) at += fs.writeSync(descriptor, content, at);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

export function rewriteFile({ path, target, key, newKey, ...form }: RewriteTask): RewriteResult {
  try {
    const stored = fs.readFileSync(path);
    const { file, size, packed } = rewriteBlock(key === undefined ? stored : nodeCiphers.keyStream(key)(stored, 0), form);
    writeSynced(target, newKey === undefined ? file : nodeCiphers.keyStream(newKey)(file, 0));
    return { size, packed };
  } catch (error) {
    fs.rmSync(target, { force: true });
    return { size: 0, packed: false, problem: messageOf(error) };
  }
}
