// Where the JWTs of accounts come from: the configuration, a web server, or a directory that other servers may push to.

import { messageOf } from '../../lib/message-of.ts';

/** JWTs of accounts by public key. */
export interface AccountSource {
  /** Rejects with a line for the log. */
  fetch(key: string): Promise<string>;
  /** Keeps a JWT, unless a newer one is kept. Throws where nothing can be kept. */
  store(key: string, jwt: string): void;
  /** Drops what is kept and not among these any more; only where the configuration is the source. */
  replace?(jwts: ReadonlyMap<string, string>): void;
  stop(): void;
}

/** JWTs of the configuration's `resolver_preload`. */
export class MemorySource implements AccountSource {
  #jwts = new Map<string, string>();

  fetch(key: string): Promise<string> {
    const jwt = this.#jwts.get(key);
    return jwt === undefined ? Promise.reject(new Error('account missing')) : Promise.resolve(jwt);
  }

  store(key: string, jwt: string): void {
    this.#jwts.set(key, jwt);
  }

  replace(jwts: ReadonlyMap<string, string>): void {
    this.#jwts = new Map(jwts);
  }

  stop(): void {
    this.#jwts.clear();
  }
}

/** One that has nothing: `trusted_keys` without a resolver. */
export class NoSource implements AccountSource {
  fetch(): Promise<string> {
    return Promise.reject(new Error('no account resolver'));
  }

  store(): void {
    throw new Error('no account resolver');
  }

  stop(): void {
    // Nothing is held.
  }
}

/** Gets a document; rejects when it cannot be had within its time. */
export type FetchText = (url: string) => Promise<string>;

/** A web server that answers with the JWT under `<url>/<key>`. */
export class UrlSource implements AccountSource {
  readonly #url: string;
  readonly #fetchText: FetchText;

  constructor(url: string, fetchText: FetchText) {
    this.#url = url.endsWith('/') ? url : `${url}/`;
    this.#fetchText = fetchText;
  }

  /** With an empty key: whether anybody is there. */
  async fetch(key: string): Promise<string> {
    const url = this.#url + key;
    try {
      return await this.#fetchText(url);
    } catch (error) {
      throw new Error(`could not fetch <"${url}">: ${messageOf(error)}`, { cause: error });
    }
  }

  store(): void {
    throw new Error('store operation not supported for URL Resolver');
  }

  stop(): void {
    // Nothing is held.
  }
}
