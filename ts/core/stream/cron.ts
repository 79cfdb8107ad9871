// Cron patterns of six fields (second, minute, hour, day of month, month, day of week) and when they come next, in any time zone. Fields
// are lists of ranges with steps; months and days of the week have names. As in the cron library that nats-server follows, a day matches when
// both of its fields do if one of them is a star, else when one does.

/** How far a zone is ahead of UTC at an instant, both in seconds. */
export type ZoneOffset = (seconds: number) => number;

interface Bounds {
  readonly low: number;
  readonly high: number;
  readonly names: readonly string[];
}

interface FieldSet {
  readonly values: ReadonlySet<number>;
  readonly isStar: boolean;
}

export interface CronPattern {
  readonly second: FieldSet;
  readonly minute: FieldSet;
  readonly hour: FieldSet;
  readonly day: FieldSet;
  readonly month: FieldSet;
  readonly weekday: FieldSet;
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const bounds: Readonly<Record<keyof CronPattern, Bounds>> = {
  second: { low: 0, high: 59, names: [] },
  minute: { low: 0, high: 59, names: [] },
  hour: { low: 0, high: 23, names: [] },
  day: { low: 1, high: 31, names: [] },
  month: { low: 1, high: 12, names: monthNames },
  weekday: { low: 0, high: 6, names: weekdayNames },
};
const fieldOrder = ['second', 'minute', 'hour', 'day', 'month', 'weekday'] as const;
/** A pattern that does not come within so many years never comes. */
const yearsAhead = 5;
const secondsOfHour = 3600;

/** The pattern of a text, or undefined when it is none. */
export function parseCron(text: string): CronPattern | undefined {
  const fields = text.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== fieldOrder.length) return undefined;
  const out: Partial<Record<keyof CronPattern, FieldSet>> = {};
  for (const [index, name] of fieldOrder.entries()) {
    const field = parseField(fields[index] ?? '', bounds[name]);
    if (field === undefined) return undefined;
    out[name] = field;
  }
  return out as CronPattern;
}

function parseField(text: string, within: Bounds): FieldSet | undefined {
  const values = new Set<number>();
  let isStar = false;
  for (const part of text.split(',').filter((each) => each !== '')) {
    const range = parseRange(part, within);
    if (range === undefined) return undefined;
    for (let value = range.from; value <= range.to; value += range.step) values.add(value);
    isStar ||= range.isStar;
  }
  return { values, isStar };
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly isStar: boolean;
}

function parseRange(text: string, within: Bounds): Range | undefined {
  const [span = '', stepText, ...moreSteps] = text.split('/');
  const [first = '', last, ...moreEnds] = span.split('-');
  if (moreSteps.length > 0 || moreEnds.length > 0) return undefined;
  const star = first === '*' || first === '?';
  const from = star ? within.low : valueOf(first, within);
  const end = star ? within.high : last === undefined ? from : valueOf(last, within);
  const step = stepText === undefined ? 1 : numberOf(stepText);
  if (from === undefined || end === undefined || step === undefined || step === 0) return undefined;
  const to = stepText !== undefined && last === undefined ? within.high : end;
  if (from < within.low || to > within.high || from > to) return undefined;
  return { from, to, step, isStar: star && step === 1 };
}

function numberOf(text: string): number | undefined {
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

function valueOf(text: string, { low, names }: Bounds): number | undefined {
  const named = names.indexOf(text.toLowerCase());
  return named >= 0 ? named + low : numberOf(text);
}

/** A moment as a clock on the wall shows it. */
class WallClock {
  readonly #offset: ZoneOffset;
  readonly seconds: number;
  readonly #shown: Date;

  constructor(seconds: number, offset: ZoneOffset) {
    this.seconds = seconds;
    this.#offset = offset;
    this.#shown = new Date((seconds + offset(seconds)) * 1000);
  }

  get year(): number {
    return this.#shown.getUTCFullYear();
  }
  get month(): number {
    return this.#shown.getUTCMonth() + 1;
  }
  get day(): number {
    return this.#shown.getUTCDate();
  }
  get weekday(): number {
    return this.#shown.getUTCDay();
  }
  get hour(): number {
    return this.#shown.getUTCHours();
  }
  get minute(): number {
    return this.#shown.getUTCMinutes();
  }
  get second(): number {
    return this.#shown.getUTCSeconds();
  }

  /** This clock some seconds later. */
  later(seconds: number): WallClock {
    return new WallClock(this.seconds + seconds, this.#offset);
  }

  /** When it shows a date and an hour; values over their range carry. */
  at(month: number, day: number, hour: number): WallClock {
    const shown = Date.UTC(this.year, month - 1, day, hour) / 1000;
    let offset = this.#offset(shown);
    const there = this.#offset(shown - offset);
    if (there !== offset) offset = there;
    return new WallClock(shown - offset, this.#offset);
  }
}

/** The first second behind an instant that the pattern matches; undefined: none within five years. */
export function nextCron(pattern: CronPattern, after: number, offset: ZoneOffset): number | undefined {
  if (fieldOrder.some((name) => pattern[name].values.size === 0)) return undefined;
  let clock = new WallClock(Math.floor(after) + 1, offset);
  const lastYear = clock.year + yearsAhead;
  while (clock.year <= lastYear) {
    if (!pattern.month.values.has(clock.month)) clock = clock.at(clock.month + 1, 1, 0);
    else if (!matchesDay(pattern, clock)) clock = forward(clock, clock.at(clock.month, clock.day + 1, 0));
    else if (!pattern.hour.values.has(clock.hour)) clock = clock.later(secondsOfHour - clock.minute * 60 - clock.second);
    else if (!pattern.minute.values.has(clock.minute)) clock = clock.later(60 - clock.second);
    else if (!pattern.second.values.has(clock.second)) clock = clock.later(1);
    else return clock.seconds;
  }
  return undefined;
}

/** Midnight may not exist where a zone jumps: time goes on all the same. */
function forward(from: WallClock, to: WallClock): WallClock {
  return to.seconds > from.seconds ? to : from.later(secondsOfHour);
}

function matchesDay({ day, weekday }: CronPattern, clock: WallClock): boolean {
  const byDay = day.values.has(clock.day);
  const byWeekday = weekday.values.has(clock.weekday);
  return day.isStar || weekday.isStar ? byDay && byWeekday : byDay || byWeekday;
}
