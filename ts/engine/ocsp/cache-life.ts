// The cache of answers while a server runs: read from its file at the start, written when something was learnt, at intervals and at the end.
// Kept true: a file that cannot be read or written costs a line in the log and nothing else.

import { defaultOcspCache } from '../../core/config/options-default.ts';
import type { OcspCacheOptions } from '../../core/config/options.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { OcspPort } from '../../ports/ocsp.ts';
import type { OcspCacheSnapshot } from '../snapshot.ts';
import { ResponseCache } from './response-cache.ts';
import { messageOf } from '../../lib/message-of.ts';

const FILE = 'cache.json';
/** What was learnt is written once a day whatever the options say. */
const LONGEST_INTERVAL_MS = 86_400_000;

export interface CacheParts {
  readonly port: Pick<OcspPort, 'absolute' | 'readFile' | 'writeFile'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class CacheLife {
  readonly cache: ResponseCache;
  readonly #parts: CacheParts;
  readonly #path: string;
  readonly #timer: Timer;

  constructor(options: OcspCacheOptions, parts: CacheParts) {
    const { port, clock, log } = parts;
    this.#parts = parts;
    this.#path = port.absolute(`${options.localStore || defaultOcspCache().localStore}/${FILE}`);
    this.cache = new ResponseCache(options.preserveRevoked, ({ level, text }) => log[level](text));
    log.debug('Starting OCSP peer cache');
    this.#load();
    this.#timer = clock.every(Math.min(options.saveIntervalMs, LONGEST_INTERVAL_MS), () => {
      log.debug('OCSP peer cache save timer expired');
      this.#save();
    });
  }

  get snapshot(): OcspCacheSnapshot {
    return this.cache.snapshot;
  }

  stop(): void {
    this.#parts.log.debug('Stopping OCSP peer cache');
    this.#timer.cancel();
    this.#save();
  }

  #load(): void {
    const { port, log } = this.#parts;
    log.debug(`Loading OCSP peer cache [${this.#path}]`);
    try {
      const content = port.readFile(this.#path);
      if (content === undefined) log.debug('No OCSP peer cache found, starting with empty cache');
      else this.cache.load(new TextDecoder().decode(content));
    } catch (error) {
      log.warn(`Unable to load OCSP peer cache: ${messageOf(error)}`);
      this.cache.dirty = true;
    }
  }

  #save(): void {
    const { port, log } = this.#parts;
    if (!this.cache.dirty) return;
    log.debug('OCSP peer cache is dirty, saving');
    log.debug(`Saving OCSP peer cache [${this.#path}]`);
    const content = new TextEncoder().encode(this.cache.text());
    try {
      port.writeFile(this.#path, content);
    } catch (error) {
      log.error(`Unable to save OCSP peer cache: ${messageOf(error)}`);
      return;
    }
    this.cache.dirty = false;
    log.debug(`Saved OCSP peer cache successfully (${content.length} bytes)`);
  }
}
