/**
 * Two witnesses of what a server sent: one that has the bytes and holds the oracle's expectation against them, and one
 * that has nothing yet and writes down what could come.
 *
 * With the bytes at hand a queue group's pick is read off: the group's member whose frame stands where the next frame of
 * its connection must begin. Conversations number their payloads, so no two messages can be taken for one another.
 */
import type { Frame, Witness } from './rules.ts';

export class Disagreement extends Error {}

export class ReceivedBytes implements Witness {
  private readonly received = new Map<number, string>();
  private readonly read = new Map<number, number>();

  /** More bytes that a connection received, in order. */
  add(conn: number, text: string): void {
    this.received.set(conn, (this.received.get(conn) ?? '') + text);
  }

  said(conn: number, text: string): void {
    if (!this.next(conn, text)) this.disagree(conn, `expected ${JSON.stringify(text)}`);
  }

  delivered(all: readonly Frame[], groups: readonly (readonly Frame[])[]): readonly number[] {
    const due = [...all];
    const picks: (number | undefined)[] = groups.map(() => undefined);
    const takeGroup = (): boolean =>
      groups.some((frames, group) => {
        if (picks[group] !== undefined) return false;
        const member = frames.findIndex((frame) => this.next(frame.conn, frame.text));
        if (member >= 0) picks[group] = member;
        return member >= 0;
      });
    const takeDue = (): boolean => {
      const index = due.findIndex((frame) => this.next(frame.conn, frame.text));
      if (index >= 0) due.splice(index, 1);
      return index >= 0;
    };
    while (takeDue() || takeGroup());
    for (const frame of due) this.disagree(frame.conn, `expected the message ${JSON.stringify(frame.text)}`);
    for (const [group, frames] of groups.entries()) {
      const [first] = frames;
      if (picks[group] === undefined && first !== undefined) {
        this.disagree(first.conn, `expected one of ${JSON.stringify(frames.map((frame) => `${frame.conn}: ${frame.text}`))}`);
      }
    }
    return picks.map((pick) => pick ?? 0);
  }

  closed(conn: number): void {
    this.atEnd(conn);
  }

  /** Everything received has been expected. */
  atEnd(conn: number): void {
    if (this.rest(conn) !== '') this.disagree(conn, 'expected nothing more');
  }

  private rest(conn: number): string {
    return (this.received.get(conn) ?? '').slice(this.read.get(conn) ?? 0);
  }

  private next(conn: number, text: string): boolean {
    if (!(this.received.get(conn) ?? '').startsWith(text, this.read.get(conn) ?? 0)) return false;
    this.read.set(conn, (this.read.get(conn) ?? 0) + text.length);
    return true;
  }

  private disagree(conn: number, expectation: string): never {
    const before = (this.received.get(conn) ?? '').slice(0, this.read.get(conn) ?? 0);
    const rest = this.rest(conn);
    throw new Disagreement(
      `connection ${conn}: ${expectation}\n  received ${JSON.stringify(rest.slice(0, 300))}\n  after ${JSON.stringify(before.slice(-300))}`,
    );
  }
}

export class FirstChoice implements Witness {
  readonly received = new Map<number, string>();
  readonly ended = new Set<number>();

  said(conn: number, text: string): void {
    this.received.set(conn, (this.received.get(conn) ?? '') + text);
  }

  delivered(all: readonly Frame[], groups: readonly (readonly Frame[])[]): readonly number[] {
    for (const frame of [...all, ...groups.flatMap((frames) => frames.slice(0, 1))]) this.said(frame.conn, frame.text);
    return groups.map(() => 0);
  }

  closed(conn: number): void {
    this.ended.add(conn);
  }
}
