/** When more of a publisher's window is expected: what quiet moments tell, and what takes the expectation back. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PublishWindow } from '../../../../ts/engine/store/publish-window.ts';

/** A window that saw quiet moments behind so many further messages each. */
function seen(...gaps: readonly number[]): { window: PublishWindow; lastSeq: number } {
  const window = new PublishWindow();
  let lastSeq = 0;
  for (const gap of gaps) window.quiet((lastSeq += gap));
  return { window, lastSeq };
}

describe('a publisher that waits for 500 acknowledgements at a time', () => {
  const windows: readonly (readonly [how: string, gaps: readonly number[]])[] = [
    ['all at once', [500, 500, 500, 500, 500, 500]],
    ['in parts of any size', [500, 1, 499, 250, 250, 100, 150, 250, 500, 20, 480]],
    ['behind other traffic', [3, 17, 1, 500, 500, 500, 500, 100, 400, 500]],
  ];
  for (const [how, gaps] of windows) {
    test(`is known when its windows came ${how}`, () => {
      const { window, lastSeq } = seen(...gaps);
      assert.deepEqual(
        [lastSeq + 1, lastSeq + 499, lastSeq + 500, lastSeq + 501].map((seq) => window.expectsMore(seq)),
        [true, true, false, false],
      );
    });
  }

  test('is found though each part is a quiet moment of its own, the same in each window', () => {
    const window = new PublishWindow();
    const misses: boolean[] = [];
    let lastSeq = 0;
    for (let windows = 0; windows < 30; windows++) {
      let isMissed = false;
      for (const part of [165, 335]) {
        lastSeq += part;
        if (window.expectsMore(lastSeq) && part === 165) continue;
        if (window.expectsMore(lastSeq)) {
          window.missed();
          isMissed = true;
        }
        window.quiet(lastSeq);
      }
      misses.push(isMissed);
    }
    assert.ok(misses.filter(Boolean).length <= 2, `missed: ${misses.join(' ')}`);
    assert.deepEqual([window.expectsMore(lastSeq + 165), window.expectsMore(lastSeq + 500)], [true, false]);
  });

  test('is not known before five were alike', () => {
    const { window, lastSeq } = seen(500, 500, 500, 500);
    assert.equal(window.expectsMore(lastSeq + 1), false);
  });

  test('is not waited for a second time when the rest of a window was late, and is the next time', () => {
    const { window, lastSeq } = seen(500, 500, 500, 500, 500, 500);
    window.missed();
    window.quiet(lastSeq + 165);
    assert.equal(window.expectsMore(lastSeq + 200), false);
    window.quiet(lastSeq + 500);
    assert.equal(window.expectsMore(lastSeq + 501), true);
  });

  test('is forgotten when three windows in a row were late', () => {
    const { window, lastSeq } = seen(500, 500, 500, 500, 500, 500);
    let at = lastSeq;
    for (let late = 0; late < 3; late++) {
      assert.equal(window.expectsMore(at + 1), true);
      window.missed();
      window.quiet((at += 500));
    }
    assert.equal(window.expectsMore(at + 1), false);
  });

  test('is forgotten when the stream goes back behind what it had', () => {
    const { window } = seen(500, 500, 500, 500, 500, 500);
    window.quiet(40);
    assert.equal(window.expectsMore(41), false);
    for (let seq = 540; seq <= 3040; seq += 500) window.quiet(seq);
    assert.equal(window.expectsMore(3041), true);
  });
});

describe('nothing is expected', () => {
  for (const gap of [1, 2, 10, 63]) {
    test(`of a publisher that waits for every ${gap}`, () => {
      const window = new PublishWindow();
      for (let seq = gap; seq < 200 * gap; seq += gap) {
        window.quiet(seq);
        assert.equal(window.expectsMore(seq), false, `behind ${seq}`);
      }
    });
  }

  test('but what is left of a window as wide as the last five', () => {
    const gap = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 60, max: 70 }), fc.constantFrom(100, 200));
    fc.assert(
      fc.property(fc.array(gap, { maxLength: 120 }), (gaps) => {
        const quiet = new Set<number>();
        const window = new PublishWindow();
        let lastSeq = 0;
        for (const more of gaps) {
          window.quiet((lastSeq += more));
          quiet.add(lastSeq);
          if (!window.expectsMore(lastSeq + 1)) continue;
          const wide = Array.from({ length: 400 }, (_, n) => n + 1).find((n) => !window.expectsMore(lastSeq + n)) ?? 0;
          const end = lastSeq + wide;
          const isKnown = [...quiet].some((before) => {
            const messages = end - before;
            return messages >= 64 && [1, 2, 3, 4, 5].every((n) => n * messages === end || quiet.has(end - n * messages));
          });
          assert.ok(isKnown, `${wide} more behind ${lastSeq}`);
        }
      }),
    );
  });
});
