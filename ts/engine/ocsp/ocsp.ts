// OCSP as a whole: peers are checked where a `tls` block asks for it, and certificates of ours are shown with their status where they promise it or
// the options say so.
// Kept true: nothing large is loaded, and no file written, by a server that does neither; what a reload changes takes the place of the old as a whole.

import { defaultOcspCache } from '../../core/config/options-default.ts';
import type { Options, TlsOptions } from '../../core/config/options.ts';
import type { OcspPeerOptions } from '../../core/config/options-network.ts';
import { stapleRule } from '../../core/ocsp/staple-rules.ts';
import { sameValue } from '../../core/reload/same-value.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { HandshakeStatus, OcspPort, OwnCertificate } from '../../ports/ocsp.ts';
import type { OcspCacheSnapshot } from '../snapshot.ts';
import { CacheLife } from './cache-life.ts';
import { PeerJudge } from './peer-judge.ts';
import type { PeerEvents } from './peer-judge.ts';
import { Staple } from './staple.ts';
import { messageOf } from '../../lib/message-of.ts';

export interface OcspParts {
  readonly port: OcspPort;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: PeerEvents;
  /** Ends the server: its own certificate was revoked. */
  readonly end: () => void;
}

/** The `tls` blocks of listeners that are built. */
function tlsBlocks({ tls, websocket }: Options): TlsOptions[] {
  return [tls, websocket === undefined || websocket.port === 0 ? undefined : websocket.tls].filter((one) => one !== undefined);
}

export class Ocsp implements HandshakeStatus {
  readonly #parts: OcspParts;
  readonly #judge: PeerJudge;
  #cache: CacheLife | undefined;
  #cacheOptions = defaultOcspCache();
  #staples: readonly Staple[] = [];
  /** Counts reloads: only the last one's staples are taken. */
  #round = 0;

  constructor(parts: OcspParts) {
    this.#parts = parts;
    this.#judge = new PeerJudge({ ...parts, cache: () => this.#cache?.cache });
  }

  get cacheSnapshot(): OcspCacheSnapshot | undefined {
    return this.#cache?.snapshot;
  }

  judge(chains: readonly (readonly Uint8Array[])[], policy: OcspPeerOptions): Promise<string | undefined> {
    return this.#judge.judge(chains, policy);
  }

  staple(certificate: Uint8Array): Promise<Uint8Array> | undefined {
    const staple = this.#staples.find((one) => one.isOf(certificate));
    return staple?.status().then(({ raw }) => raw);
  }

  /** Rejects with a line when a status must be shown and cannot be had. */
  async open(options: Options): Promise<void> {
    this.#useStaples(await this.#openStaples(options));
    this.#setCache(options);
  }

  async reload(options: Options): Promise<void> {
    const round = ++this.#round;
    this.#setCache(options);
    try {
      const staples = await this.#openStaples(options);
      if (round === this.#round) this.#useStaples(staples);
    } catch (error) {
      this.#parts.log.warn(`Can't restart OCSP features: ${messageOf(error)}`);
    }
  }

  stop(): void {
    this.#round++;
    this.#useStaples([]);
    this.#cache?.stop();
    this.#cache = undefined;
  }

  #setCache(options: Options): void {
    const wanted = options.ocspCache ?? defaultOcspCache();
    const isNeeded = tlsBlocks(options).some(({ ocspPeer }) => ocspPeer?.verify);
    if (isNeeded && this.#cache !== undefined && sameValue(wanted, this.#cacheOptions)) return;
    this.#cache?.stop();
    this.#cache = undefined;
    this.#cacheOptions = wanted;
    if (!isNeeded) return;
    if (wanted.type === 'local') this.#cache = new CacheLife(wanted, this.#parts);
    this.#parts.log.info(`OCSP peer cache online, type [${wanted.type}]`);
  }

  #useStaples(staples: readonly Staple[]): void {
    for (const staple of this.#staples) staple.stop();
    this.#staples = staples;
    for (const staple of staples) staple.begin();
  }

  async #openStaples(options: Options): Promise<Staple[]> {
    const opened: Staple[] = [];
    for (const tls of tlsBlocks(options)) {
      const own = this.#own(tls);
      const staple = own && (await this.#stapleOf(own, options));
      if (staple === undefined) continue;
      await staple.open();
      opened.push(staple);
    }
    return opened;
  }

  /** Files that cannot be used are the listener's to complain about. */
  #own(tls: TlsOptions): OwnCertificate | undefined {
    try {
      return this.#parts.port.ownCertificate(tls);
    } catch {
      return undefined;
    }
  }

  async #stapleOf(own: OwnCertificate, { ocsp, jetstream }: Options): Promise<Staple | undefined> {
    const { port, log } = this.#parts;
    const mode = ocsp?.mode ?? 'auto';
    if (!own.mayPromise && !stapleRule(mode, false).staples) return undefined;
    const documents = await port.documents();
    const { staples, endsWhenRevoked, breaksPromise } = stapleRule(mode, documents.mustStaple(own.der));
    if (breaksPromise) log.warn(`Certificate at '${own.file}' has MustStaple but OCSP is disabled`);
    if (!staples) return undefined;
    const link = { leaf: documents.facts(own.der), issuer: documents.facts(own.issuer()) };
    const directory = jetstream.storeDir === '' ? undefined : port.absolute(`${jetstream.storeDir}/ocsp`);
    return new Staple(
      { file: own.file, link, endsWhenRevoked, urls: ocsp?.urls ?? [], directory },
      { ...this.#parts, documents },
    );
  }
}
