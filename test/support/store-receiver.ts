/** A client in a test store: it subscribes to `_INBOX.me`, straight in the kernel, and takes what is delivered there. */
import { flag } from '../../ts/kernel/constants.ts';
import type { TestStore } from './store.ts';

export interface Received {
  readonly subject: string;
  readonly reply: string;
  readonly headers: string;
  readonly payload: string;
}

export class Receiver {
  readonly #server: TestStore;
  readonly #index: number;

  constructor(server: TestStore) {
    const { kernel, account } = server;
    this.#server = server;
    this.#index = kernel.open(1 << 20, 4096, 64 << 20);
    kernel.bind(this.#index, { account, flags: flag.headers, maxPayload: 1 << 20, maxSubs: 0, maxControlLine: 4096 });
    this.say('SUB _INBOX.me 1\r\n');
  }

  say(text: string): void {
    const { kernel } = this.#server;
    kernel.inbound.set(Buffer.from(text));
    kernel.ingest(this.#index, 0, text.length);
  }

  take(): Received[] {
    const { kernel } = this.#server;
    const parts: Buffer[] = [];
    for (;;) {
      const chunks = kernel.takeOut(this.#index);
      if (chunks.length === 0) break;
      parts.push(Buffer.concat(chunks));
      kernel.outDone(this.#index);
    }
    return parse(Buffer.concat(parts));
  }
}

function parse(bytes: Buffer): Received[] {
  const found: Received[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n', at);
    const words = bytes.toString('latin1', at, end).split(' ');
    const total = Number(words.at(-1));
    const headerLength = words[0] === 'HMSG' ? Number(words.at(-2)) : 0;
    const replyWords = words[0] === 'HMSG' ? words.length === 6 : words.length === 5;
    const from = end + 2;
    found.push({
      subject: words[1] ?? '',
      reply: replyWords ? (words[3] ?? '') : '',
      headers: bytes.toString('latin1', from, from + headerLength),
      payload: bytes.toString('latin1', from + headerLength, from + total),
    });
    at = from + total + 2;
  }
  return found;
}
