// One line of the log, as operators' tools parse it: `[pid] YYYY/MM/DD HH:MM:SS.uuuuuu [INF] text`.
// The date is made once a second; the rest of a line costs one string.

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace';

interface LevelRow {
  readonly tag: string;
  /** ANSI colour of the tag on a terminal. */
  readonly colour: string;
}

const levels: Readonly<Record<LogLevel, LevelRow>> = {
  fatal: { tag: 'FTL', colour: '31' },
  error: { tag: 'ERR', colour: '31' },
  warn: { tag: 'WRN', colour: '93' },
  info: { tag: 'INF', colour: '32' },
  debug: { tag: 'DBG', colour: '36' },
  trace: { tag: 'TRC', colour: '33' },
};

export interface LineOptions {
  readonly pid: number;
  readonly time: boolean;
  readonly utc: boolean;
  readonly colours: boolean;
}

/** Turns a level, a text and the wall time in milliseconds (fractions allowed) into a line with its line break. */
export type LineFormat = (level: LogLevel, text: string, atMs: number) => string;

export function lineFormat({ pid, time, utc, colours }: LineOptions): LineFormat {
  const tags = new Map<LogLevel, string>();
  for (const [level, { tag, colour }] of Object.entries(levels)) {
    tags.set(level as LogLevel, colours ? `[\u001b[${colour}m${tag}\u001b[0m]` : `[${tag}]`);
  }
  let second = Number.NaN;
  let date = '';
  return (level, text, atMs) => {
    if (!time) return `[${pid}] ${tags.get(level)} ${text}\n`;
    const whole = Math.floor(atMs / 1000);
    if (whole !== second) {
      second = whole;
      date = dateText(new Date(whole * 1000), utc);
    }
    const micros = String(Math.floor((atMs - whole * 1000) * 1000)).padStart(6, '0');
    return `[${pid}] ${date}.${micros} ${tags.get(level)} ${text}\n`;
  };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function dateText(at: Date, utc: boolean): string {
  if (utc) return at.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
  const day = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}
