/**
 * The parser alone: a full read of 1 MiB handed to `ingest`, messages that nobody receives, so that what is measured is
 * finding the operations, checking them and looking the subject up.
 */
import { Kernel } from '../../ts/kernel/kernel.ts';
import { loadKernel } from '../../ts/node/wasm.ts';
import { nanosEach, table } from './measure.ts';
import type { Figure } from './measure.ts';

const limits = { maxPayload: 1_048_576, maxControlLine: 4096 };

interface Bench {
  readonly kernel: Kernel;
  readonly account: number;
  readonly connection: number;
}

function newBench(): Bench {
  const kernel = new Kernel({ module: loadKernel('server', import.meta.dirname), seed: [1, 2] });
  const account = kernel.openAccount(1);
  const connection = kernel.open(limits.maxPayload, limits.maxControlLine, 64 << 20);
  kernel.bind(connection, { account, flags: 0, maxSubs: 0, ...limits });
  return { kernel, account, connection };
}

/** Fills the inbound region with lines `line(0)`, `line(1)`…; returns how many fitted and their bytes. */
function fill(kernel: Kernel, line: (index: number) => string): { readonly count: number; readonly bytes: number } {
  let bytes = 0;
  for (let count = 0; ; count++) {
    const text = line(count);
    if (bytes + text.length > kernel.inbound.length) return { count, bytes };
    bytes += kernel.inbound.write(text, bytes, 'latin1');
  }
}

function figures(name: string, line: (index: number) => string, prepare?: (bench: Bench) => void): Figure[] {
  const bench = newBench();
  const { kernel, connection } = bench;
  prepare?.(bench);
  const { count, bytes } = fill(kernel, line);
  const reads = Math.ceil(2_000_000 / count);
  const ns = nanosEach(
    () => {
      for (let read = 0; read < reads; read++) {
        if (kernel.ingest(connection, 0, bytes) !== bytes) throw new Error('the parser stopped');
      }
    },
    reads * count,
    7,
  );
  return [
    { name, value: ns, unit: 'ns' },
    { name: `${name}: a second`, value: 1e9 / ns, unit: '/s' },
  ];
}

const publish = (subject: string, size: number) => (): string => `PUB ${subject} ${size}\r\n${'x'.repeat(size)}\r\n`;
const header = 'NATS/1.0\r\nTrace: 1\r\n\r\n';

/** SUB and UNSUB in turn, so that the number of subscriptions stays what it is. */
function subscribing(index: number): string {
  const sid = index >> 1;
  return index % 2 === 0 ? `SUB orders.eu.${sid % 1000}.created ${sid}\r\n` : `UNSUB ${sid}\r\n`;
}

/** Somebody else's interest: a few thousand subjects, a tenth of them with wildcards. */
function interest({ kernel, account }: Bench): void {
  for (let i = 0; i < 5000; i++) kernel.subscribeHost(account, i % 10 === 0 ? `other.*.${i}` : `other.${i}`, '', i);
}

export function parserFigures(): string {
  const all = [
    ...figures('PUB 16 B', publish('orders.created', 16)),
    ...figures('PUB 128 B', publish('orders.created', 128)),
    ...figures('PUB 16 B among 5,000 subjects', publish('orders.created', 16), interest),
    ...figures('PUB 16 B, a new subject each', (index) => `PUB orders.eu.${index}.created 16\r\n${'x'.repeat(16)}\r\n`, interest),
    ...figures(
      'HPUB 22 + 128 B',
      () => `HPUB orders.created ${header.length} ${header.length + 128}\r\n${header}${'x'.repeat(128)}\r\n`,
    ),
    ...figures('SUB or UNSUB', subscribing),
  ];
  return table('parser, no receivers', all);
}
