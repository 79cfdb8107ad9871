// A resolver's directory: JWTs of accounts as files that survive a restart. `full` keeps them all, `cache` those used last. The hash of
// all contents tells servers that exchange them whether they have the same.
// Kept true: `#index` has exactly the files that count; a key is a public nkey, so that it names a file of the directory and no other.

import { isPublicNkey } from '../../core/jwt/token.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { TokenFiles } from '../../ports/token-files.ts';
import type { AccountSource } from './account-source.ts';

export interface DirectoryRules {
  /** 0: no limit. */
  readonly limit: number;
  /** At the limit the one used longest ago goes; otherwise nothing more is taken. */
  readonly evicts: boolean;
  /** How long a file is kept that nobody asks for; 0: until its JWT runs out. */
  readonly ttlMs: number;
  readonly deletes: 'no' | 'rename' | 'hard';
}

export interface DirectoryPorts {
  readonly files: TokenFiles;
  readonly clock: Clock;
  sha256(bytes: Uint8Array): Uint8Array;
}

interface Kept {
  hash: Uint8Array;
  /** Wall clock; Infinity: it does not run out. */
  endsAtMs: number;
}

/** What a token says of itself, unverified: enough to compare two. */
interface Stamp {
  readonly id: string;
  readonly issuedAt: number;
  readonly expires: number;
  readonly subject: string;
}

const CHECK_MS = 60_000;
const encoder = new TextEncoder();

function stampOf(jwt: string): Stamp | undefined {
  try {
    const { jti, iat, exp, sub } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >;
    return { id: String(jti), issuedAt: Number(iat) || 0, expires: Number(exp) || 0, subject: String(sub) };
  } catch {
    return undefined;
  }
}

export class TokenDirectory implements AccountSource {
  readonly rules: DirectoryRules;
  /** Asks other servers for an account that is not here. */
  ask: ((key: string) => Promise<string>) | undefined;
  /** Told of every JWT that came, and of every account that was deleted. */
  changed: (key: string, jwt: string) => void = () => {};
  deleted: (key: string) => void = () => {};
  readonly #ports: DirectoryPorts;
  /** Used longest ago first. */
  readonly #index = new Map<string, Kept>();
  readonly #hash = new Uint8Array(32);
  readonly #check: Timer;

  constructor(rules: DirectoryRules, ports: DirectoryPorts) {
    this.rules = rules;
    this.#ports = ports;
    const checkMs = rules.ttlMs === 0 ? CHECK_MS : Math.min(CHECK_MS, Math.max(1, rules.ttlMs / 2));
    this.#check = ports.clock.every(checkMs, () => this.#dropEnded());
    this.#readAll();
  }

  get directory(): string {
    return this.#ports.files.directory;
  }

  /** Of all contents, in whatever order they came. */
  get hash(): Uint8Array {
    return this.#hash.slice();
  }

  async fetch(key: string): Promise<string> {
    const here = this.read(key);
    if (here !== undefined) return here;
    if (this.ask === undefined) throw new Error('account jwt not found');
    const jwt = await this.ask(key);
    this.store(key, jwt);
    return jwt;
  }

  /** What the directory itself has. */
  read(key: string): string | undefined {
    if (!isPublicNkey('account', key)) return undefined;
    const jwt = this.#ports.files.read(key);
    const kept = jwt === undefined ? undefined : this.#index.get(key);
    if (kept !== undefined) this.#touch(key, kept);
    return jwt;
  }

  /** Keeps a JWT unless a newer one is here. */
  store(key: string, jwt: string): void {
    const before = this.#ports.files.read(key);
    const old = before === undefined ? undefined : stampOf(before);
    const now = stampOf(jwt);
    if (now === undefined) throw new Error('invalid JWT');
    if (old !== undefined) {
      if (old.id === now.id || old.issuedAt > now.issuedAt) return;
      if (now.subject !== key) throw new Error('jwt subject nkey and provided nkey do not match');
    }
    this.save(key, jwt);
  }

  /** Keeps a JWT, whatever was there. Throws what stands in the way. */
  save(key: string, jwt: string): void {
    if (!isPublicNkey('account', key)) throw new Error('invalid public key');
    if (jwt === '') throw new Error('invalid JWT');
    const hash = this.#ports.sha256(encoder.encode(jwt));
    const kept = this.#index.get(key);
    if (kept !== undefined && Buffer.compare(kept.hash, hash) === 0) return this.#touch(key, kept);
    if (kept === undefined) this.#makeRoom();
    this.#ports.files.write(key, jwt);
    this.#track(key, jwt, hash);
    this.changed(key, jwt);
  }

  /** Deletes an account, as the rules say. */
  delete(key: string): void {
    const { files } = this.#ports;
    if (files.read(key) === undefined) return;
    if (this.rules.deletes === 'rename') files.setAside(key);
    else files.remove(key);
    this.#untrack(key);
    this.deleted(key);
  }

  /** Keys and JWTs of all that have not run out, by key. */
  all(): readonly (readonly [key: string, jwt: string])[] {
    const { files, clock } = this.#ports;
    const now = clock.wallMs() / 1000;
    const rows: (readonly [string, string])[] = [];
    for (const key of [...this.#index.keys()].toSorted()) {
      const jwt = files.read(key) ?? '';
      const expires = stampOf(jwt)?.expires ?? 0;
      if (jwt !== '' && (expires === 0 || expires >= now)) rows.push([key, jwt]);
    }
    return rows;
  }

  /** Somebody may have changed files by hand: what differs is told of. */
  reread(): void {
    const before = new Map([...this.#index].map(([key, { hash }]) => [key, hash]));
    for (const key of before.keys()) this.#untrack(key);
    this.#readAll();
    for (const [key, { hash }] of [...this.#index]) {
      const old = before.get(key);
      const jwt = old !== undefined && Buffer.compare(old, hash) === 0 ? undefined : this.#ports.files.read(key);
      if (jwt !== undefined) this.changed(key, jwt);
    }
  }

  stop(): void {
    this.#check.cancel();
  }

  #readAll(): void {
    const { files, sha256 } = this.#ports;
    for (const key of files.keys()) {
      const jwt = isPublicNkey('account', key) ? files.read(key) : undefined;
      if (jwt !== undefined) this.#track(key, jwt, sha256(encoder.encode(jwt)));
    }
  }

  #makeRoom(): void {
    const { limit, evicts } = this.rules;
    if (limit <= 0 || this.#index.size < limit) return;
    if (!evicts) throw new Error('jwt store is full');
    const [oldest] = this.#index.keys();
    if (oldest === undefined) return;
    this.#ports.files.remove(oldest);
    this.#untrack(oldest);
  }

  #touch(key: string, kept: Kept): void {
    if (this.rules.ttlMs > 0) kept.endsAtMs = this.#ports.clock.wallMs() + this.rules.ttlMs;
    if (!this.rules.evicts) return;
    this.#index.delete(key);
    this.#index.set(key, kept);
  }

  #track(key: string, jwt: string, hash: Uint8Array): void {
    this.#untrack(key);
    const { ttlMs } = this.rules;
    const expires = stampOf(jwt)?.expires ?? 0;
    const endsAtMs = ttlMs > 0 ? this.#ports.clock.wallMs() + ttlMs : expires > 0 ? expires * 1000 : Infinity;
    this.#index.set(key, { hash, endsAtMs });
    this.#mix(hash);
  }

  #untrack(key: string): void {
    const kept = this.#index.get(key);
    if (kept === undefined) return;
    this.#index.delete(key);
    this.#mix(kept.hash);
  }

  /** Adds a content to the hash of all, or takes it out again. */
  #mix(hash: Uint8Array): void {
    for (const [at, byte] of hash.entries()) this.#hash[at] = (this.#hash[at] ?? 0) ^ byte;
  }

  #dropEnded(): void {
    const now = this.#ports.clock.wallMs();
    for (const [key, { endsAtMs }] of this.#index) {
      if (endsAtMs > now) continue;
      this.#ports.files.remove(key);
      this.#untrack(key);
    }
  }
}
