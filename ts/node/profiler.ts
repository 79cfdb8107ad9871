// What `prof_port` offers: profiles of this process by V8, at the paths nats-server has them. They are V8's own files, which Chrome's developer tools
// and editors open; pprof's tools do not. The inspector is loaded with the first profile.
// Kept true: one profile is taken at a time; what a client asked for and did not wait for ends all the same.

import type { Session } from 'node:inspector/promises';
import type { HttpHandler, HttpReply } from '../ports/http.ts';

const ROOT = '/debug/pprof/';
const DEFAULT_SECONDS = 30;
const MOST_SECONDS = 3_600;

interface Kind {
  readonly about: string;
  readonly file: string;
  take(session: Session, wait: () => Promise<void>): Promise<unknown>;
}

const kinds: Readonly<Record<string, Kind>> = {
  profile: {
    about: 'where the time goes, for so many seconds',
    file: 'profile.cpuprofile',
    async take(session, wait) {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await wait();
      const { profile } = await session.post('Profiler.stop');
      await session.post('Profiler.disable');
      return profile;
    },
  },
  heap: {
    about: 'what is allocated and still there, for so many seconds',
    file: 'heap.heapprofile',
    async take(session, wait) {
      await session.post('HeapProfiler.enable');
      await session.post('HeapProfiler.startSampling');
      await wait();
      const { profile } = await session.post('HeapProfiler.stopSampling');
      await session.post('HeapProfiler.disable');
      return profile;
    },
  },
};

export interface ProfilerParts {
  readonly commandLine: readonly string[];
  wait(seconds: number): Promise<void>;
}

function text(status: number, body: string): HttpReply {
  return { status, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
}

function secondsOf(query: URLSearchParams): number {
  const asked = Number(query.get('seconds') ?? '');
  return asked > 0 ? Math.min(asked, MOST_SECONDS) : DEFAULT_SECONDS;
}

async function profiled(kind: Kind, wait: () => Promise<void>): Promise<HttpReply> {
  const inspector = await import('node:inspector/promises');
  const session = new inspector.Session();
  session.connect();
  try {
    const body = JSON.stringify(await kind.take(session, wait));
    const disposition = `attachment; filename="${kind.file}"`;
    return { status: 200, headers: { 'Content-Type': 'application/json', 'Content-Disposition': disposition }, body };
  } finally {
    session.disconnect();
  }
}

export function createProfiler({ commandLine, wait }: ProfilerParts): HttpHandler {
  let busy = false;
  const list = Object.entries(kinds).map(
    ([name, { about, file }]) => `${ROOT}${name}?seconds=${DEFAULT_SECONDS}  ${file}: ${about}\n`,
  );
  return async ({ target }) => {
    const [pathname = '', query = ''] = target.split('?', 2);
    const name = pathname.startsWith(ROOT) ? pathname.slice(ROOT.length) : undefined;
    if (name === '') return text(200, `${list.join('')}${ROOT}cmdline\n`);
    if (name === 'cmdline') return text(200, commandLine.join('\0'));
    const kind = name !== undefined && Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) return text(404, '404 page not found\n');
    if (busy) return text(500, 'Could not enable profiling: profiling already in use\n');
    busy = true;
    try {
      return await profiled(kind, () => wait(secondsOf(new URLSearchParams(query))));
    } finally {
      busy = false;
    }
  };
}
